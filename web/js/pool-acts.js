// What may be done to a pool: give it a child, edit it, move it, delete it; and make the first one.
import { act, create } from './api.js';
import { ask } from './form.js';
import { block } from './form-fields.js';
import { me } from './me.js';
import { leaving, subject } from './subject.js';
import { hcl } from './terraform.js';

const STRATEGIES = [['best_fit', 'best fit'], ['first_fit', 'first fit'], ['largest_fit', 'largest fit'], ['sparse', 'sparse, leaves room to grow']];

// SETTINGS are what a pool may be told besides its name and block.
const SETTINGS = [
  { name: 'owner', label: 'Owner', placeholder: 'netops', max: 255 }, { name: 'environment', label: 'Environment', placeholder: 'prod', max: 255 }, { name: 'region', label: 'Region', placeholder: 'eu-west-1', max: 255 },
  { name: 'account', label: 'Account', placeholder: 'aws:123456789012', mono: true, max: 127 }, { name: 'description', label: 'Description', kind: 'long' }, { name: 'labels', label: 'Labels', kind: 'labels', placeholder: 'team=pay, tier=1' },
  { name: 'min_prefix_length', label: 'Largest block', kind: 'number', placeholder: '16', help: 'The shortest prefix length that it hands out.' }, { name: 'max_prefix_length', label: 'Smallest block', kind: 'number', placeholder: '28', help: 'The longest prefix length that it hands out.' },
  { name: 'default_prefix_length', label: 'Default size', kind: 'number', placeholder: '24' }, { name: 'strategy', label: 'Strategy', kind: 'select', options: STRATEGIES }, { name: 'deletion_protection', label: 'Protected from deletion', kind: 'switch' },
];

// newPool asks for a pool: a child of the given one, at a block where one is known, or a root.
export function newPool({ parent = '', scope = 'default', block: wanted = '', done }) {
  const child = Boolean(parent);
  ask({
    title: child ? 'New child pool of ' + parent : 'New pool', word: 'Make it', fixed: child ? { parent } : { scope },
    fields: [
      { name: 'name', label: 'Name', required: true, placeholder: 'prod-euw1', max: 63, help: 'Lower-case letters, digits, - and _.' },
      { name: 'block', label: 'Block', kind: 'block', required: true, value: wanted, placeholder: child ? '/20 or a CIDR' : '10.0.0.0/8', help: child ? 'A size, to be placed in ' + parent + ', or a CIDR.' : 'A root pool is a CIDR of yours.' },
      ...SETTINGS.filter((field) => field.name !== 'strategy').map((field) => ({ ...field, more: !['owner', 'environment', 'region'].includes(field.name) })),
    ],
    terraform: (v) => hcl('cloudpam_pool', v.name || 'pool', { name: v.name, ...(child ? { parent } : scope === 'default' ? {} : { scope }), ...block(v.block || '/20'), owner: v.owner, environment: v.environment, region: v.region, description: v.description }),
    send: (body, key) => create(['pools'], body, key), told: (made) => 'Made ' + made.name + ', ' + made.cidr, done: (made) => done(made.id),
  });
}

// poolActs are the buttons of the panel. within are the pool and those above it: a role in one of them counts.
export function poolActs(pool, within, done) {
  if (!me.may('admin', pool.scope, within)) return [];
  return [
    { word: 'New child', run: () => newPool({ parent: pool.id, scope: pool.scope, done }) }, { word: 'Edit', run: () => edit(pool, done) },
    { word: 'Resize', run: () => resize(pool, done) }, { word: 'Move', run: () => move(pool, done) }, { word: 'Delete…', run: () => removePool(pool, done) },
  ];
}

function edit(pool, done) {
  ask({
    title: 'Edit ' + pool.name, word: 'Save', edit: true, fields: SETTINGS.map((field) => ({ ...field, value: pool[field.name] })),
    ...subject(['pools', pool.uid], pool), told: (made) => 'Changed ' + made.name, done: (made) => done(made.id),
  });
}

function resize(pool, done) {
  ask({
    title: 'Resize ' + pool.name, lead: 'It is ' + pool.cidr + ' and grows or shrinks in place: nothing in it moves.', word: 'Resize', edit: true, fields: [{ name: 'block', label: 'Size', kind: 'block', required: true, value: '/' + pool.prefix_length, placeholder: '/15 or a CIDR' }],
    preview: previewOf(pool), ...subject(['pools', pool.uid], pool), told: (made) => made.name + ' is ' + made.cidr, done: (made) => done(made.id),
  });
}

function move(pool, done) {
  ask({
    title: 'Move ' + pool.name, lead: 'A pool that is empty gets a block of its size in another parent, and so another CIDR. One that is not stays where it is.', word: 'Move', edit: true,
    fields: [{ name: 'parent', label: 'Parent', required: true, value: pool.parent, placeholder: 'corp', max: 127 }], preview: previewOf(pool),
    ...subject(['pools', pool.uid], pool), told: (made) => made.name + ' is in ' + made.parent, done: (made) => done(made.id),
  });
}

function previewOf(pool) {
  return { word: 'Show the block', auto: true, run: async (body) => (Object.keys(body).length ? (await act(['pools', pool.uid, 'preview'], body)).cidr + ', now ' + pool.cidr : '') };
}

function removePool(pool, done) {
  ask({
    title: 'Delete ' + pool.name + '?', danger: true, word: 'Delete', lead: pool.cidr + (pool.parent ? ' goes back to ' + pool.parent : ' is no longer managed') + '. A pool that holds anything is not deleted, and is told what it holds.', fields: [],
    ...leaving(['pools', pool.uid], pool), told: () => 'Deleted ' + pool.name, done: () => done(pool.parent || ''),
  });
}

