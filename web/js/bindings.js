import { PLACE, placeOf, roleText } from './access.js';
import { create, remove } from './api.js';
import { start } from './app.js';
import { AGE, POOL, SCOPE } from './columns.js';
import { facts } from './facts.js';
import { ask } from './form.js';
import { labelText, moment } from './format.js';
import { me } from './me.js';
import { records } from './records.js';

function bind(list) {
  ask({
    title: 'New binding', word: 'Give the role', fields: [{ name: 'principal', label: 'Principal', required: true, value: list.principal, placeholder: 'principal_…', mono: true, max: 127, help: 'The key of who gets the role: a token shows it in its details.' }, ...PLACE],
    send: (body, key) => create(['bindings'], body, key), told: (made) => made.actor + ' is ' + roleText(made), done: () => list.load(),
  });
}

function unbind(b, list) {
  ask({
    title: 'Take the role from ' + b.actor + '?', danger: true, word: 'Take it', fields: [], lead: b.actor + ' is no longer ' + roleText(b) + '.', send: (body, key) => remove(['bindings', b.id], key), told: () => b.actor + ' is no longer ' + b.role,
    done: () => {
      list.closeDrawer();
      return list.load();
    },
  });
}

function details(b, list) {
  return {
    id: b.id, title: b.actor, lead: roleText(b), acts: me.may('admin') ? [{ word: 'Take away…', run: () => unbind(b, list) }] : [], history: b.id,
    facts: facts([['Role', b.role], ['Where', placeOf(b)], ['Largest block', b.largest_prefix_length ? '/' + b.largest_prefix_length : '', true], ['Labels', labelText(b.labels)], ['Principal', b.principal, true], ['Made', moment(b.created_at)], ['Id', b.id, true]]),
    links: [{ href: '/bindings?principal=' + encodeURIComponent(b.principal), text: 'All of ' + b.actor }, { href: '/audit?actor=' + encodeURIComponent(b.principal), text: 'What it has done' }],
  };
}

start({ records: () => records({
  resource: 'bindings', one: 'binding', noun: 'binding', fields: [{ name: 'principal', label: 'Principal', placeholder: 'principal_…', mono: true }, SCOPE, POOL],
  columns: [{ head: 'Who', class: 'c-name', opens: true, cell: (b) => b.actor }, { head: 'Role', class: 'c-cidr', cell: (b) => b.role }, { head: 'Where', class: 'c-who', cell: placeOf }, { head: 'Only', class: 'c-extra muted', cell: (b) => [b.largest_prefix_length ? 'up to /' + b.largest_prefix_length : '', labelText(b.labels)].filter(Boolean).join(', ') }, AGE],
  details, empty: ['No binding to see.', 'A binding gives somebody a role in a place: everywhere, in a scope, or in a pool and what is below it.'],
  acts: (list) => (me.may('admin') ? [{ word: 'New binding', first: true, run: () => bind(list) }] : []),
}) });
