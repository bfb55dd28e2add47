// Colours of a map by something other than the kind: by owner, environment, region, account or its platform of what was allocated.

// MOST is how many values have a colour of their own. The others share one.
const MOST = 8;

export const COLOURS = [['kind', 'kind'], ['owner', 'owner'], ['environment', 'environment'], ['region', 'region'], ['account', 'account'], ['platform', 'platform']];

// colouring takes what is known of the owners of blocks and answers {legend, of(block)}: the values that are met most come first.
export function colouring(by, blocks, known) {
  if (by === 'kind') return { legend: [], of: () => '' };
  const valueOf = (block) => (known.get(block.owner_id) || {})[by] || '';
  const counts = new Map();
  for (const block of blocks) if (valueOf(block)) counts.set(valueOf(block), (counts.get(valueOf(block)) || 0) + 1);
  const values = [...counts].sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1)).map(([value]) => value);
  const classOf = (value) => (value ? 'v-' + Math.min(values.indexOf(value), MOST) : 'v-none');
  const legend = values.slice(0, MOST).map((value, i) => ({ name: value, class: 'v-' + i }));
  if (values.length > MOST) legend.push({ name: values.length - MOST + ' others', class: 'v-' + MOST });
  if (legend.length) legend.push({ name: 'nothing said', class: 'v-none' });
  return { legend, of: (block) => (block.status === 'free' ? '' : classOf(valueOf(block))) };
}
