// What may be done to an allocation set: make it, give it keys, take keys away, release it.
import { create } from './api.js';
import { DETAILS, described } from './allocating.js';
import { ask } from './form.js';
import { me } from './me.js';
import { leaving, subject } from './subject.js';
import { hcl } from './terraform.js';

const MEMBERS = { name: 'members', label: 'Members', required: true, max: 8192, kind: 'custom', take: membersOf, placeholder: 'app-a /24\napp-b /24', help: 'A key and its size or CIDR on each line.' };

// membersOf reads "KEY /24" or "KEY 10.1.2.0/24" from each line.
export function membersOf(text) {
  const members = {};
  for (const line of text.split('\n').map((l) => l.trim()).filter(Boolean)) {
    const [key, ...rest] = line.split(/\s+/);
    const size = /^\/?(\d{1,3})$/.exec(rest.join('') || '');
    members[key] = size ? { prefix_length: Number(size[1]) } : { cidr: rest.join('') };
  }
  return members;
}

// subnets writes members as Terraform has them: sizes by key, and fixed CIDRs by key.
function subnets(members) {
  const of = (field) => Object.fromEntries(Object.entries(members).filter(([, m]) => m[field]).map(([key, m]) => [key, m[field]]));
  const [sizes, fixed] = [of('prefix_length'), of('cidr')];
  return { ...(Object.keys(sizes).length && { subnets: sizes }), ...(Object.keys(fixed).length && { fixed }) };
}

function kept(set) { return Object.fromEntries(set.members.map((m) => [m.key, { prefix_length: m.prefix_length }])); }

export function newSet(list) {
  ask({
    title: 'New allocation set', word: 'Make it',
    fields: [{ name: 'name', label: 'Name', required: true, placeholder: 'vpc', max: 127 }, { name: 'pool', label: 'Pool', required: true, value: list.pool, placeholder: 'prod-euw1', max: 127 }, MEMBERS, ...DETAILS],
    terraform: (values) => hcl('cloudpam_allocation_set', values.name || 'vpc', { pool: values.pool, name: values.name, ...described(values), ...subnets(membersOf(values.members)) }),
    send: (body, key) => create(['allocation-sets'], body, key), told: (made) => 'Made the set ' + made.name,
    done: async (made) => {
      await list.load();
      await list.open(made.id);
    },
  });
}

export function setActs(s, list) {
  if (!me.may('operator', s.scope)) return [];
  return [{ word: 'Add keys', first: true, run: () => addKeys(s, list) }, { word: 'Remove keys…', run: () => removeKeys(s, list) }, { word: 'Edit', run: () => edit(s, list) }, { word: 'Release…', run: () => release(s, list) }];
}

function addKeys(s, list) {
  ask({
    title: 'Add keys to ' + s.name, lead: 'The others keep their CIDRs.', word: 'Add', edit: true, fields: [{ ...MEMBERS, label: 'New keys', take: (text) => ({ ...kept(s), ...membersOf(text) }) }],
    ...subject(['allocation-sets', s.id], s), told: (made) => made.name + ' has ' + made.members.length + ' keys', done: () => list.refreshAll(),
  });
}

function removeKeys(s, list) {
  ask({
    title: 'Remove keys from ' + s.name, lead: 'What you tick is given up, as when it is released. The others keep their CIDRs.', word: 'Remove', danger: true, edit: true,
    fields: s.members.map((m) => ({ name: m.key, label: m.key + '  ' + m.cidr, kind: 'switch' })),
    send: (body, key) => subject(['allocation-sets', s.id], s).send({ members: Object.fromEntries(Object.entries(kept(s)).filter(([name]) => !body[name])) }, key),
    told: (made) => made.name + ' has ' + made.members.length + ' keys', done: () => list.refreshAll(),
  });
}

function edit(s, list) {
  ask({
    title: 'Edit ' + s.name, word: 'Save', edit: true, fields: [{ name: 'name', label: 'Name', required: true, max: 127 }, ...DETAILS.map((field) => ({ ...field, more: false }))].map((field) => ({ ...field, value: s[field.name] })),
    ...subject(['allocation-sets', s.id], s), told: (made) => 'Changed ' + made.name, done: () => list.refreshAll(),
  });
}

function release(s, list) {
  ask({
    title: 'Release ' + s.name + ' and its ' + s.members.length + ' blocks?', danger: true, word: 'Release', fields: [], lead: 'Every member in ' + s.pool + ' is given up. What Terraform manages is allocated again by its next apply.',
    ...leaving(['allocation-sets', s.id], s), told: () => 'Released ' + s.name,
    done: () => {
      list.closeDrawer();
      return list.load();
    },
  });
}
