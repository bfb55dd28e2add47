// A list as a file: every row that the filters leave, with every field that the API answers.
import { all } from './api.js';
import { note, report } from './toasts.js';

// MOST is how many rows a file may have. A longer list is for the API, page by page.
const MOST = 100000;

// download reads all pages of a list and hands the person a file.
export async function download(resource, query) {
  note('Reading the list…');
  try {
    const { items, complete } = await all([resource], query, MOST);
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob(['\uFEFF', csv(items)], { type: 'text/csv' }));
    link.download = 'cloudpam-' + resource + '.csv';
    link.click();
    URL.revokeObjectURL(link.href);
    note(complete ? items.length + ' rows in ' + link.download : 'Only the first ' + items.length + ' rows are in ' + link.download + ': filter the list');
  } catch (error) {
    report(error, 'The list could not be read to its end, so there is no file');
  }
}

// csv writes RFC 4180. Its columns are all fields that occur, in the order in which they first do.
export function csv(items) {
  const names = [...new Set(items.flatMap((item) => Object.keys(item)))];
  return [names, ...items.map((item) => names.map((name) => item[name]))].map((line) => line.map(field).join(',')).join('\r\n') + '\r\n';
}

// field keeps what a spreadsheet would take for a formula from being one.
function field(value) {
  const text = value === undefined || value === null ? '' : typeof value === 'object' ? (Object.keys(value).length ? JSON.stringify(value) : '') : String(value);
  const safe = /^[=+\-@\t\r]/.test(text) && typeof value === 'string' ? "'" + text : text;
  return /[",\r\n]/.test(safe) ? '"' + safe.replaceAll('"', '""') + '"' : safe;
}
