// What may be done to a webhook: make it, test it, send again, edit it, give it another secret, delete it; and its deliveries.
import { act, create, get, idempotencyKey } from './api.js';
import { ask } from './form.js';
import { moment } from './format.js';
import { me } from './me.js';
import { leaving, subject } from './subject.js';
import { note, report } from './toasts.js';

const LATEST = 25;

const FIELDS = [
  { name: 'name', label: 'Name', required: true, placeholder: 'chat', max: 63 }, { name: 'url', label: 'Address', required: true, placeholder: 'https://hooks.example.com/ipam', mono: true, max: 2048 },
  { name: 'format', label: 'Format', kind: 'select', options: [['standard', 'standard: Standard Webhooks'], ['slack', 'slack: a line of text']], value: 'standard' },
  { name: 'actions', label: 'Actions', kind: 'words', placeholder: 'allocation.created, pool.*', help: 'Left empty, every change is told.' }, { name: 'description', label: 'Description', kind: 'long', more: true },
];

export function newWebhook(list) {
  ask({
    title: 'New webhook', word: 'Make it', fields: [...FIELDS.slice(0, 2), { name: 'scope', label: 'Scope', placeholder: 'default', max: 63, help: 'Left empty, it is told of every scope.' }, ...FIELDS.slice(2)],
    send: (body, key) => create(['webhooks'], body, key), told: (made) => 'Made ' + made.webhook.name, secret: (made) => made.secret || '', done: () => list.load(),
  });
}

// deliveries puts the latest of them into the open drawer, once they are read.
export async function deliveries(w, list) {
  try {
    const page = await get(['webhooks', w.id, 'deliveries'], { limit: LATEST });
    if (list.detail.id !== w.id) return;
    list.detail.table = page.items.map((d) => ({ key: d.id, cells: [{ key: 1, text: d.action, class: '' }, { key: 2, text: d.state + (d.status ? ' ' + d.status : '') + (d.error ? ': ' + d.error : ''), class: '' }, { key: 3, text: String(d.attempts), class: 'num' }, { key: 4, text: moment(d.created_at), class: 'muted' }] }));
    if (!page.items.length) list.detail.lead = (w.description ? w.description + ' ' : '') + 'Nothing was delivered yet.';
  } catch (error) {
    report(error, 'The deliveries could not be loaded');
  }
}

export function webhookActs(w, list) {
  if (!me.may('admin', w.scope || undefined)) return [];
  return [
    { word: 'Test', first: true, run: () => test(w) }, { word: 'Send again', run: () => replay(w, list) }, { word: 'Edit', run: () => edit(w, list) },
    { word: w.enabled ? 'Switch off' : 'Switch on', run: () => turn(w, list) }, { word: 'New secret', run: () => rotate(w, list) }, { word: 'Delete…', run: () => removeWebhook(w, list) },
  ];
}

async function test(w) {
  try {
    const told = await act(['webhooks', w.id, 'tests']);
    if (told.delivered) note('Delivered in ' + told.took_ms + ' ms' + (told.status ? ', ' + told.status : ''));
    else report({ title: 'Not delivered', text: (told.status ? 'It answered ' + told.status + '. ' : '') + (told.error || '') });
  } catch (error) {
    report(error, 'It could not be tested');
  }
}

function replay(w, list) {
  ask({
    title: 'Send again to ' + w.name, word: 'Send again', lead: 'All that it is told of since then, also what it has been told already. A receiver that knows the webhook-id is not told twice.',
    fields: [{ name: 'since', label: 'Since', kind: 'moment', required: true, help: 'In your time.' }, { name: 'until', label: 'Until', kind: 'moment', help: 'Left empty, until now.' }],
    send: (body, key) => act(['webhooks', w.id, 'replays'], body, key), told: (made) => 'Sending ' + made.count + ' again', done: () => list.refreshAll(),
  });
}

function edit(w, list) {
  ask({
    title: 'Edit ' + w.name, word: 'Save', edit: true, fields: FIELDS.map((field) => ({ ...field, more: false, value: w[field.name] })),
    ...subject(['webhooks', w.id], w), told: (made) => 'Changed ' + made.name, done: () => list.refreshAll(),
  });
}

async function turn(w, list) {
  try {
    await subject(['webhooks', w.id], w).send({ enabled: !w.enabled }, idempotencyKey());
    note(w.name + ' is ' + (w.enabled ? 'off' : 'on'));
    await list.refreshAll();
  } catch (error) {
    report(error, 'It could not be switched');
  }
}

function rotate(w, list) {
  ask({
    title: 'New secret for ' + w.name, word: 'Make it', fields: [], lead: 'What is sent from now on is signed with it, and with the one before too for a while, so that the receiver can change over.',
    send: (body, key) => act(['webhooks', w.id, 'secrets'], {}, key), secret: (made) => made.secret || 'The answer was lost, and the secret with it. Make another.', done: () => list.refreshAll(),
  });
}

function removeWebhook(w, list) {
  ask({
    title: 'Delete ' + w.name + '?', danger: true, word: 'Delete', fields: [], lead: 'Nothing is sent to ' + w.url + ' any more, and what waits is dropped.', ...leaving(['webhooks', w.id], w), told: () => 'Deleted ' + w.name,
    done: () => {
      list.closeDrawer();
      return list.load();
    },
  });
}
