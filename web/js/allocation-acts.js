// What may be done to an allocation: resize, edit, release, and have it back.
import { act, idempotencyKey } from './api.js';
import { DETAILS } from './allocating.js';
import { ask } from './form.js';
import { reserveRoom } from './growing.js';
import { me } from './me.js';
import { leaving, subject } from './subject.js';
import { note, report } from './toasts.js';

export function allocationActs(a, list) {
  if (!me.may('operator', a.scope)) return [];
  const acts = [{ word: 'Edit', run: () => edit(a, list) }, { word: 'Room to grow', run: () => reserveRoom(a) }, { word: 'Release…', run: () => release(a, list) }];
  // The size of a member is its set's.
  return a.set ? acts : [{ word: 'Resize', first: true, run: () => resize(a, list) }, ...acts];
}

function resize(a, list) {
  const path = ['allocations', a.id];
  ask({
    title: 'Resize ' + a.name, lead: a.cidr + ' in ' + a.pool + '. It grows in place or is told why it cannot; a smaller one keeps its first addresses, and the rest goes into quarantine or is free.', word: 'Resize', edit: true,
    fields: [{ name: 'block', label: 'Size', kind: 'block', required: true, value: '/' + a.prefix_length, placeholder: '/23 or a CIDR' }],
    preview: { word: 'Show the block', auto: true, run: async (body) => (Object.keys(body).length ? (await act([...path, 'preview'], body)).cidr + ', now ' + a.cidr : '') },
    ...subject(path, a), told: (made) => 'Resized ' + made.name + ' to ' + made.cidr, done: () => list.refreshAll(),
  });
}

function edit(a, list) {
  ask({
    title: 'Edit ' + a.name, word: 'Save', edit: true,
    fields: [...(a.set ? [] : [{ name: 'name', label: 'Name', required: true, max: 127 }]), ...DETAILS.map((field) => ({ ...field, more: false })), ...(a.set ? [] : [{ name: 'expires_at', label: 'Until', kind: 'moment', help: 'In your time. Left empty, it stays until it is released.' }])]
      .map((field) => ({ ...field, value: a[field.name] })),
    ...subject(['allocations', a.id], a), told: (made) => 'Changed ' + made.name, done: () => list.refreshAll(),
  });
}

function release(a, list) {
  ask({
    title: 'Release ' + a.cidr + '?', danger: true, word: 'Release', fields: [],
    lead: a.name + ' in ' + a.pool + ' is given up. What Terraform manages is allocated again by its next apply. While its block is in quarantine, or still free, it can be had back.',
    ...leaving(['allocations', a.id], a), told: () => 'Released ' + a.cidr,
    done: () => {
      list.closeDrawer();
      return list.load();
    },
  });
}

// restore gives an allocation back what it was, from quarantine.
export async function restore(id, done) {
  try {
    const back = await act(['allocations', id, 'restore'], {}, idempotencyKey());
    note('Restored ' + back.cidr + ' to ' + back.name);
    await done(back);
  } catch (error) {
    report(error, 'It could not be restored');
  }
}
