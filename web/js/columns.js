// The filters and columns that several lists share.
import { age, moment } from './format.js';

export const FAMILY = { name: 'family', label: 'Family', options: [['', 'Both'], ['ipv4', 'IPv4'], ['ipv6', 'IPv6']] };
export const WITHIN = { name: 'within', label: 'Within', placeholder: '10.0.0.0/8', mono: true };
export const CONTAINS = { name: 'contains', label: 'Contains', placeholder: '10.1.2.3', mono: true };
export const POOL = { name: 'pool', label: 'Pool', placeholder: 'prod-euw1', list: 'pools' };
export const SCOPE = { name: 'scope', label: 'Scope', placeholder: 'default', list: 'scopes' };
export const ACCOUNT = { name: 'account', label: 'Account', placeholder: 'aws:123456789012' };
export const OWNER = { name: 'owner', label: 'Owner', placeholder: 'platform' };
export const ENVIRONMENT = { name: 'environment', label: 'Environment', placeholder: 'prod' };
export const REGION = { name: 'region', label: 'Region', placeholder: 'eu-west-1' };
export const TIER = { name: 'tier', label: 'Tier', options: [['', 'All'], ['dev', 'dev'], ['stg', 'stg'], ['sbx', 'sbx'], ['prd', 'prd']] };
export const SORT = { name: 'sort', label: 'Order', options: [['', 'By default'], ['cidr', 'By address'], ['-created', 'Newest first'], ['created', 'Oldest first']] };
export const LABEL = { name: 'label', label: 'Label', placeholder: 'team=pay' };

export const PLATFORM = { name: 'platform', label: 'Platform', placeholder: 'eks' };
export const CLOUD = { name: 'cloud', label: 'Cloud', options: [['', 'All'], ['aws', 'AWS'], ['gcp', 'GCP'], ['custom', 'Other']] };

export const CIDR = { head: 'CIDR', class: 'c-cidr', cell: (item) => ({ text: item.cidr, code: true }) };
export const NAME = { head: 'Name', class: 'c-name', opens: true, cell: (item) => item.name };
export const IN_POOL = { head: 'Pool', class: 'c-pool', cell: (item) => item.pool || '' };
export const AGE = { head: 'Age', class: 'c-age num muted', cell: (item) => ({ text: age(item.created_at), title: moment(item.created_at) }) };

// extra is a column of one field, which narrow windows leave to the drawer.
export function extra(head, field) { return { head, class: 'c-extra muted', cell: (item) => item[field] || '' }; }

export function poolLink(item) { return '/pools?' + new URLSearchParams({ scope: item.scope, pool: item.pool }); }
