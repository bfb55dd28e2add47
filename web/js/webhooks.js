import { start } from './app.js';
import { facts } from './facts.js';
import { age, moment } from './format.js';
import { me } from './me.js';
import { records } from './records.js';
import { deliveries, newWebhook, webhookActs } from './webhook-acts.js';

function state(w) {
  if (!w.enabled) return { state: 'lost', text: 'Off' };
  if (w.failing_since) return { state: 'fails', text: 'Failing since ' + moment(w.failing_since), title: w.last_error || '' };
  return { state: 'lives', text: w.waiting ? w.waiting + ' waiting' : 'Delivers' };
}

function details(w, list) {
  const now = state(w);
  deliveries(w, list);
  return {
    id: w.id, title: w.name, lead: w.description, state: now.state, stateWord: now.text, acts: webhookActs(w, list), history: w.id,
    facts: facts([['Address', w.url, true], ['Scope', w.scope || 'every scope'], ['Actions', w.actions.join(', ') || 'all'], ['Format', w.format], ['Waiting', w.waiting ? String(w.waiting) : ''], ['Given up', w.dead ? String(w.dead) : ''], ['Last error', w.last_error || ''], ['Next try', w.retry_at ? moment(w.retry_at) : ''], ['Made', moment(w.created_at)], ['Id', w.id, true], ['Version', String(w.version), true]]),
    heads: ['Delivery', 'State', 'Tries', 'When'], table: [],
  };
}

start({ records: () => records({
  resource: 'webhooks', one: 'webhook', noun: 'webhook', fields: [],
  columns: [{ head: 'Name', class: 'c-name', opens: true, cell: (w) => w.name }, { head: 'Address', class: 'c-who', cell: (w) => w.url }, { head: 'State', class: 'c-state', cell: state }, { head: 'Scope', class: 'c-extra muted', cell: (w) => w.scope || 'every scope' }, { head: 'Given up', class: 'c-extra muted', cell: (w) => (w.dead ? String(w.dead) : '') }, { head: 'Age', class: 'c-age num muted', cell: (w) => ({ text: age(w.created_at), title: moment(w.created_at) }) }],
  details, empty: ['No webhook yet.', 'A webhook is told of every change that you choose, signed, in order, and again until it answers.'],
  acts: (list) => (me.may('admin') ? [{ word: 'New webhook', first: true, run: () => newWebhook(list) }] : []),
}) });
