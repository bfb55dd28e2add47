// The roles that are given to tokens and others: what they are called and which fields ask for one.
export const ROLES = [['viewer', 'viewer: reads'], ['planner', 'planner: plans hold blocks'], ['operator', 'operator: allocates and releases'], ['admin', 'admin: pools, accounts and access too']];

// PLACE asks for a role and where it counts.
export const PLACE = [
  { name: 'role', label: 'Role', kind: 'select', required: true, options: ROLES, value: 'viewer' },
  { name: 'scope', label: 'Scope', placeholder: 'default', max: 63, help: 'Left empty together with the pool, the role counts everywhere.' }, { name: 'pool', label: 'Pool', placeholder: 'prod', max: 127, help: 'The role counts in this pool and those below it.' },
  { name: 'largest_prefix_length', label: 'Largest block', kind: 'number', placeholder: '24', more: true, help: 'Of a planner or an operator: 24 is up to a /24.' }, { name: 'labels', label: 'Labels', kind: 'labels', placeholder: 'team=pay', more: true, help: 'Of an operator: only what has all of these.' },
];

export function placeOf(b) {
  if (b.pool === '') return 'a pool that is gone: it gives nothing';
  return b.pool ? 'pool ' + b.pool : b.scope ? 'scope ' + b.scope : 'everywhere';
}

export function roleText(b) {
  return b.role + ', ' + placeOf(b) + (b.largest_prefix_length ? ', up to /' + b.largest_prefix_length : '');
}
