// The rules of a policy in sentences, and the fields of the form that asks for them.

const SETS = ['docker', 'link_local', 'kubeadm_services', 'k3s_services', 'eks_services', 'gke_services', 'aks_services'];

// SENTENCES say what each rule asks for.
const SENTENCES = {
  min_prefix_length: (n) => 'An allocation is a /' + n + ' or smaller.', max_prefix_length: (n) => 'An allocation is a /' + n + ' or larger.',
  pool_min_prefix_length: (n) => 'A child pool is a /' + n + ' or smaller.', pool_max_prefix_length: (n) => 'A child pool is a /' + n + ' or larger.',
  accounts: (all) => 'It names one of the accounts ' + all.join(', ') + '.', regions: (all) => 'It names one of the regions ' + all.join(', ') + '.', environments: (all) => 'It names one of the environments ' + all.join(', ') + '.',
  required_labels: (labels) => Object.entries(labels).map(([key, values]) => 'An allocation has the label ' + key + (values.length ? ', which is ' + values.join(' or ') : '') + '.').join(' '),
  owner_required: (on) => (on ? 'An allocation names an owner.' : ''), name_pattern: (text) => 'The whole name of an allocation matches ' + text + '.',
  exclude: (all) => 'Nothing shares an address with ' + all.join(', ') + '.', exclude_sets: (all) => 'Nothing lies in the ranges that ' + all.join(', ') + ' take.',
  usable_only: (on) => (on ? 'A single address is neither the first of its pool nor the last of an IPv4 one.' : ''), skip_first: (n) => 'The first ' + n + ' addresses of a pool are not handed out singly.',
  max_owner_share_percent: (n) => 'The allocations of one owner are at most ' + n + ' % of the pool.', expression: (text) => 'It is so that ' + text, expression_message: () => '',
};

// sentences lists what a policy asks for: {rule, text}. A rule that is newer than this page is shown as it is.
export function sentences(rules) {
  return Object.entries(rules).map(([rule, value]) => ({ rule, text: SENTENCES[rule] ? SENTENCES[rule](value) : rule + ': ' + JSON.stringify(value) })).filter(({ text }) => text);
}

const LENGTH = { kind: 'number', placeholder: '24' };
const WORDS = { kind: 'words' };

const FIELDS = [
  { name: 'min_prefix_length', label: 'Largest allocation', ...LENGTH, help: 'Its prefix length: 20 is up to a /20.' }, { name: 'max_prefix_length', label: 'Smallest allocation', ...LENGTH, placeholder: '28', help: '28 is down to a /28.' },
  { name: 'owner_required', label: 'Names an owner', kind: 'switch' }, { name: 'environments', label: 'Environments', ...WORDS, placeholder: 'prod, stage' }, { name: 'regions', label: 'Regions', ...WORDS, placeholder: 'eu-west-1' }, { name: 'accounts', label: 'Accounts', ...WORDS, placeholder: 'aws:123456789012' },
  { name: 'required_labels', label: 'Required labels', kind: 'custom', placeholder: 'team=payments|search\ncost_center', help: 'A line each: key, or key=value|value.', take: labelsOf, show: (labels) => Object.entries(labels).map(([key, values]) => key + (values.length ? '=' + values.join('|') : '')).join('\n') },
  { name: 'name_pattern', label: 'Name matches', placeholder: '[a-z]+-(dev|prd)(/.+)?', mono: true, more: true, max: 256 }, { name: 'exclude', label: 'Excluded ranges', ...WORDS, placeholder: '10.0.0.0/24', mono: true, more: true }, { name: 'exclude_sets', label: 'Excluded by who takes them', ...WORDS, placeholder: 'docker, link_local', more: true, help: 'Of ' + SETS.join(', ') + '.' },
  { name: 'pool_min_prefix_length', label: 'Largest child pool', ...LENGTH, more: true }, { name: 'pool_max_prefix_length', label: 'Smallest child pool', ...LENGTH, more: true }, { name: 'usable_only', label: 'Only usable single addresses', kind: 'switch', more: true }, { name: 'skip_first', label: 'First addresses kept back', kind: 'number', placeholder: '4', more: true },
  { name: 'max_owner_share_percent', label: 'Largest share of one owner, in %', kind: 'number', placeholder: '50', more: true }, { name: 'expression', label: 'Expression (CEL)', kind: 'long', placeholder: "environment != 'prd' || prefix_length >= 24", max: 2048, more: true }, { name: 'expression_message', label: 'What a refusal by it says', max: 1024, more: true },
];

// fieldsOf are the fields filled with a policy, which may be null.
export function fieldsOf(policy) {
  const rules = policy ? policy.rules : {};
  return [{ name: 'description', label: 'What for', value: policy ? policy.description : '', max: 1024, placeholder: 'Blocks of production are small and owned.' }, ...FIELDS.map((field) => ({ ...field, value: rules[field.name] !== undefined && field.show ? field.show(rules[field.name]) : rules[field.name] }))];
}

// bodyOf makes what the API takes out of what the form answers. Rules of a policy that the form has no field for are kept.
export function bodyOf({ description = '', ...rules }, policy) {
  const known = FIELDS.map((field) => field.name);
  const kept = Object.fromEntries(Object.entries(policy ? policy.rules : {}).filter(([name]) => !known.includes(name)));
  return { description, rules: { ...kept, ...rules } };
}

function labelsOf(text) {
  return Object.fromEntries(text.split('\n').map((line) => line.trim()).filter(Boolean).map((line) => {
    const at = line.indexOf('=');
    return at < 0 ? [line, []] : [line.slice(0, at).trim(), line.slice(at + 1).split('|').map((value) => value.trim()).filter(Boolean)];
  }));
}

