// The form that allocates a block: from a pool, of a size or at a place, with the very block that the server would give.
import { act, create, idempotencyKey, remove } from './api.js';
import { ask } from './form.js';
import { block } from './form-fields.js';
import { moment } from './format.js';
import { hcl } from './terraform.js';

// HELD is for how long a preview is promised, in seconds.
const HELD = 600;

// DETAILS are what may be said of an allocation or a set of them.
export const DETAILS = [
  { name: 'owner', label: 'Owner', placeholder: 'platform', max: 255, more: true }, { name: 'purpose', label: 'Purpose', placeholder: 'vpc', max: 255, more: true },
  { name: 'environment', label: 'Environment', placeholder: 'prod', max: 255, more: true }, { name: 'region', label: 'Region', placeholder: 'eu-west-1', max: 255, more: true },
  { name: 'account', label: 'Account', placeholder: 'aws:123456789012', max: 127, mono: true, more: true }, { name: 'labels', label: 'Labels', kind: 'labels', placeholder: 'team=pay, tier=1', more: true },
  { name: 'description', label: 'Description', kind: 'long', more: true },
];

// allocate opens the form, prefilled with what is known. done gets the allocation.
export function allocate({ pool = '', block: wanted = '', done }) {
  const preview = holding();
  ask({
    title: pool ? 'Allocate from ' + pool : 'Allocate', word: 'Allocate', preview,
    fields: [
      { name: 'name', label: 'Name', required: true, placeholder: 'app', max: 127, help: 'Of no other allocation in the pool. Terraform finds it by this name.' },
      { name: 'block', label: 'Block', kind: 'block', required: true, value: wanted, placeholder: '/24 or 10.1.2.0/24', help: 'A size, to be placed in the pool, or a CIDR.' },
      { name: 'pool', label: 'Pool', required: true, value: pool, placeholder: 'prod-euw1', max: 127 },
      ...DETAILS.map((field) => (field.name === 'owner' ? { ...field, more: false } : field)),
      { name: 'expires_at', label: 'Until', kind: 'moment', more: true, help: 'In your time. Released by itself then.' },
    ],
    terraform: (values) => hcl('cloudpam_allocation', values.name || 'app', { pool: values.pool, name: values.name, ...block(values.block || '/24'), ...described(values) }),
    send: async (body, key) => {
      await preview.yield(body);
      return create(['allocations'], body, key);
    },
    told: (made) => 'Allocated ' + made.cidr + ' to ' + made.name,
    done,
  });
}

// described is what was said besides pool, name and size.
export function described(values) {
  return Object.fromEntries(['owner', 'purpose', 'environment', 'region', 'account', 'description'].filter((name) => values[name]).map((name) => [name, values[name]]));
}

// holding previews by holding the block: what is shown is what is given, even if somebody else allocates meanwhile. What was
// held for a form that is left, or for other values, is let go.
function holding() {
  let held = null;
  const letGo = async () => {
    if (!held) return;
    const { id } = held;
    held = null;
    // One that was taken by the allocation is gone already, and one that cannot be released ends by itself.
    await remove(['holds', id], idempotencyKey()).catch(() => {});
  };
  return {
    word: 'Show the block',
    async run({ pool, name, cidr, prefix_length }) {
      await letGo();
      held = await act(['holds'], { pool, name, ...(cidr ? { cidr } : { prefix_length }), ttl_seconds: HELD }, idempotencyKey());
      return held.cidr + ' is held for you until ' + moment(held.expires_at);
    },
    // yield keeps a hold only for the request that it was made for.
    async yield({ pool, name, cidr, prefix_length }) {
      if (held && (held.pool !== pool || held.name !== name || (cidr ? held.cidr !== cidr : held.prefix_length !== prefix_length))) await letGo();
    },
    leave: letGo,
  };
}
