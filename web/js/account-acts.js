// What may be done to an account: let it look, check what it may see, edit it, delete it; and what its views are like.
import { act, create, get } from './api.js';
import { ask } from './form.js';
import { moment, plural } from './format.js';
import { me } from './me.js';
import { leaving, subject } from './subject.js';
import { note, report } from './toasts.js';

const FIELDS = [
  { name: 'name', label: 'Name', required: true, placeholder: 'payments-prod', max: 127 }, { name: 'environment', label: 'Environment', placeholder: 'prod', max: 255 }, { name: 'tier', label: 'Tier', kind: 'select', options: [['', 'none'], ['dev', 'dev'], ['stg', 'stg'], ['sbx', 'sbx'], ['prd', 'prd']] },
  { name: 'owner', label: 'Owner', placeholder: 'payments', max: 255 }, { name: 'platform', label: 'Platform', placeholder: 'eks', max: 255 }, { name: 'regions', label: 'Regions', kind: 'words', placeholder: 'eu-west-1, us-east-1' },
  { name: 'mode', label: 'Mode', kind: 'select', options: [['observe', 'observe: only looks'], ['plan', 'plan: proposes'], ['apply', 'apply: makes what was approved']], value: 'observe' },
  { name: 'role_arn', label: 'AWS role', placeholder: 'arn:aws:iam::123456789012:role/cloudpam', mono: true, help: 'Which role is assumed to look. A reference, no secret.' }, { name: 'workload_identity', label: 'GCP identity', mono: true, placeholder: 'cloudpam@project.iam.gserviceaccount.com' },
  { name: 'description', label: 'Description', kind: 'long' }, { name: 'labels', label: 'Labels', kind: 'labels', placeholder: 'team=pay' },
];

export function newAccount(list) {
  ask({
    title: 'New account', word: 'Make it',
    fields: [{ name: 'cloud', label: 'Cloud', kind: 'select', required: true, options: [['aws', 'AWS account'], ['gcp', 'GCP project'], ['custom', 'Other place']], value: 'aws' }, { name: 'external_id', label: 'External id', required: true, placeholder: '123456789012', mono: true, max: 127 }, ...FIELDS.map((field) => ({ ...field, more: !['name', 'environment', 'regions', 'role_arn'].includes(field.name) })), { name: 'scope', label: 'Scope', placeholder: 'default', max: 63, more: true }],
    send: (body, key) => create(['accounts'], body, key), told: (made) => 'Made ' + made.name,
    done: async (made) => {
      await list.load();
      await list.open(made.id);
    },
  });
}

export function accountActs(a, list) {
  const acts = [];
  if (me.may('operator', a.scope)) acts.push({ word: 'Look now', first: true, run: () => sync(a, list, {}) }, { word: 'Check access', run: () => check(a) });
  if (me.may('admin', a.scope)) acts.push({ word: 'Edit', run: () => edit(a, list) }, { word: 'Delete…', run: () => removeAccount(a, list) });
  return acts;
}

// views puts what is known of each view of the account into the open drawer, once it is read.
export async function views(a, list) {
  try {
    const { views } = await get(['accounts', a.id, 'sync']);
    if (list.detail.id === a.id) list.detail.table = views.map((v) => ({ key: v.kind + v.region, cells: [{ key: 1, text: v.kind + ' ' + v.region, class: '' }, { key: 2, text: v.seen_at ? moment(v.seen_at) : 'never', class: 'muted' }, { key: 3, text: stateOf(v), class: '' }] }));
  } catch (error) {
    report(error, 'The views of the account could not be loaded');
  }
}

function stateOf(v) { return v.code ? [v.code, v.detail, v.fix].filter(Boolean).join(': ') : 'complete'; }

async function sync(a, list, body) {
  note('Looking at ' + a.name + '…');
  try {
    const told = await act(['accounts', a.id, 'sync'], body);
    note('Seen: ' + [[told.added, 'added'], [told.updated, 'changed'], [told.removed, 'gone']].map(([n, word]) => n + ' ' + word).join(', '));
    if (told.vanished && list.shown === a.id) vanished(a, list, told.vanished);
    await list.refreshAll();
  } catch (error) {
    report(error, 'It could not look at ' + a.name);
  }
}

// vanished asks before much is taken for gone: it may be the view that is broken.
function vanished(a, list, n) {
  ask({
    title: plural(n, 'block') + ' of ' + a.name + ' are gone at once', danger: true, word: 'Take them for gone', fields: [], lead: 'So many at once may mean that the account is seen with other eyes, and nothing was changed. Take them for gone only if they were really deleted.',
    send: () => act(['accounts', a.id, 'sync'], { accept_vanished: true }), told: (told) => told.removed + ' taken for gone', done: () => list.refreshAll(),
  });
}

async function check(a) {
  try {
    const told = await act(['accounts', a.id, 'check']);
    if (told.ok) note(a.name + ' can be seen');
    else report({ title: 'It cannot be seen: ' + told.code, text: [told.detail, told.permission, told.fix].filter(Boolean).join(' ') });
  } catch (error) {
    report(error, 'It could not be checked');
  }
}

function edit(a, list) {
  ask({
    title: 'Edit ' + a.name, word: 'Save', edit: true, fields: FIELDS.map((field) => ({ ...field, value: a[field.name] })),
    ...subject(['accounts', a.id], a), told: (made) => 'Changed ' + made.name, done: () => list.refreshAll(),
  });
}

function removeAccount(a, list) {
  ask({
    title: 'Delete ' + a.name + '?', danger: true, word: 'Delete', fields: [], lead: 'Nothing is deleted in the cloud. What was observed there is forgotten.', ...leaving(['accounts', a.id], a), told: () => 'Deleted ' + a.name,
    done: () => {
      list.closeDrawer();
      return list.load();
    },
  });
}
