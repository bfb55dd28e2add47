// The fields of a form, and what they make of a request's body.
import { labelText } from './format.js';

let last = 0;

// fieldOf completes a field: name (as the API has it), label, and perhaps kind, value, help, placeholder, required, more (folded
// away), options (of a select), list (of a datalist) and max. Kinds: text, number, block, labels,
// words, moment, switch, select, long, and custom: several lines that its take makes something of.
export function fieldOf(field) {
  const kind = field.kind || 'text';
  const shown = shownValue(kind, field.value);
  return {
    help: '', placeholder: '', required: false, more: false, options: [], list: '', max: 1024, ...field,
    id: 'field-' + field.name, key: ++last, kind, value: shown, first: shown, fault: '', filled: shown !== '' && shown !== false ? 'true' : null,
    mono: kind === 'block' || Boolean(field.mono), type: { moment: 'datetime-local', number: 'number' }[kind] || 'text',
    isInput: !['switch', 'select', 'long', 'custom'].includes(kind), isLong: kind === 'long' || kind === 'custom', names: kind === 'block' ? ['cidr', 'prefix_length'] : [field.name],
  };
}

function shownValue(kind, value) {
  if (kind === 'switch') return Boolean(value);
  if (value === undefined || value === null) return '';
  if (kind === 'labels') return labelText(value);
  if (kind === 'words') return value.join(', ');
  if (kind === 'moment') return localMoment(value);
  return String(value);
}

// localMoment is what an input of a date and time takes: in the person's time, without zone.
function localMoment(text) {
  const at = new Date(text);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

// bodyOf reads the fields. To make something, what is empty is left out; to change it, what was not touched is.
export function bodyOf(fields, { edit, fixed }) {
  const body = { ...fixed };
  for (const field of fields) {
    if (edit ? field.value === field.first : field.value === '' || field.value === false) continue;
    Object.assign(body, read(field));
  }
  return body;
}

function read({ kind, name, value, take }) {
  const text = typeof value === 'string' ? value.trim() : value;
  switch (kind) {
    case 'block': return block(text);
    case 'number': return { [name]: text === '' ? null : Number(text) };
    case 'moment': return { [name]: text === '' ? null : new Date(text).toISOString() };
    case 'labels': return { [name]: labelsOf(text) };
    case 'words': return { [name]: text.split(/[\s,]+/).filter(Boolean) };
    case 'custom': return { [name]: take(value) };
    default: return { [name]: text };
  }
}

// block reads a size, to be placed, or else a CIDR.
export function block(text) {
  const size = /^\/?(\d{1,3})$/.exec(text.trim());
  return size ? { prefix_length: Number(size[1]) } : { cidr: text.trim() };
}

// labelsOf reads "team=pay, tier=1".
export function labelsOf(text) {
  return Object.fromEntries(text.split(/[,\n]+/).map((pair) => pair.trim()).filter(Boolean).map((pair) => {
    const at = pair.indexOf('=');
    return at < 0 ? [pair, ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  }));
}
