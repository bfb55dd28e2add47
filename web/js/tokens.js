import { PLACE, roleText } from './access.js';
import { create, remove } from './api.js';
import { start } from './app.js';
import { facts } from './facts.js';
import { ask } from './form.js';
import { age, moment } from './format.js';
import { me } from './me.js';
import { records } from './records.js';

function state(t) {
  if (t.revoked_at) return { state: 'lost', text: 'Revoked ' + moment(t.revoked_at) };
  if (t.expires_at && Date.now() >= Date.parse(t.expires_at)) return { state: 'lost', text: 'Ended ' + moment(t.expires_at) };
  return { state: 'lives', text: t.expires_at ? 'Until ' + moment(t.expires_at) : 'Until it is revoked' };
}

function newToken(list) {
  ask({
    title: 'New token', word: 'Make it', lead: 'It may do what its role says, in its place. More roles are given to it on the page Bindings.',
    fields: [{ name: 'name', label: 'Name', required: true, placeholder: 'ci-network', max: 63 }, ...PLACE, { name: 'expires_at', label: 'Until', kind: 'moment', help: 'In your time. Left empty, it lives until somebody revokes it.' }],
    send: ({ name, expires_at, ...binding }, key) => create(['tokens'], { name, ...(expires_at && { expires_at }), bindings: [binding] }, key),
    secret: (made) => made.secret || 'The answer was lost, and the secret with it. Revoke this token and make another.', done: () => list.load(),
  });
}

function revoke(t, list) {
  ask({
    title: 'Revoke ' + t.name + '?', danger: true, word: 'Revoke', fields: [], lead: 'Whoever uses it is refused from now on, and it cannot be had back.', send: (body, key) => remove(['tokens', t.id], key), told: () => 'Revoked ' + t.name,
    done: () => {
      list.closeDrawer();
      return list.load();
    },
  });
}

function details(t, list) {
  const now = state(t);
  return {
    id: t.id, title: t.name, state: now.state, stateWord: now.text, acts: now.state === 'lives' && me.may('admin') ? [{ word: 'Revoke…', run: () => revoke(t, list) }] : [],
    facts: facts([['Roles', t.bindings.map(roleText).join('; ')], ['Last used', t.last_used_at ? moment(t.last_used_at) : 'never'], ['Made', moment(t.created_at)], ['Principal', t.principal, true], ['Id', t.id, true]]),
    links: [{ href: '/audit?actor=' + encodeURIComponent(t.principal), text: 'What it has done' }, { href: '/bindings?principal=' + encodeURIComponent(t.principal), text: 'Its bindings' }],
  };
}

start({ records: () => records({
  resource: 'tokens', one: 'token', noun: 'token', fields: [{ name: 'living', label: 'State', options: [['', 'All'], ['true', 'Let somebody in'], ['false', 'Revoked or ended']] }],
  columns: [{ head: 'Name', class: 'c-name', opens: true, cell: (t) => t.name }, { head: 'Roles', class: 'c-who', cell: (t) => t.bindings.map(roleText).join('; ') || 'none' }, { head: 'State', class: 'c-state', cell: state }, { head: 'Last used', class: 'c-extra muted', cell: (t) => (t.last_used_at ? { text: age(t.last_used_at) + ' ago', title: moment(t.last_used_at) } : 'never') }, { head: 'Age', class: 'c-age num muted', cell: (t) => ({ text: age(t.created_at), title: moment(t.created_at) }) }],
  listed: true, details, empty: ['No token to see.', 'A token lets a pipeline or a tool in, with a role in a place.'],
  acts: (list) => (me.may('admin') ? [{ word: 'New token', first: true, run: () => newToken(list) }] : []),
}) });
