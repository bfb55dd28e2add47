// The blocks people copy into their configuration.
import { parse } from './cidr.js';

// resource is an allocation from a pool, aligned as terraform fmt writes it.
export function allocationResource(pool) {
  return [
    'resource "cloudpam_allocation" "app" {',
    '  pool          = "' + pool.id + '"',
    '  name          = "app"',
    '  prefix_length = ' + likelyLength(pool),
    '}',
  ].join('\n');
}

// hcl writes one resource, its arguments aligned as terraform fmt does. What is empty is left out.
export function hcl(resource, name, all) {
  const given = Object.entries(all).filter(([, value]) => value !== '' && value !== undefined && value !== null);
  const flat = given.filter(([, value]) => typeof value !== 'object');
  const width = Math.max(0, ...flat.map(([key]) => key.length));
  const lines = flat.map(([key, value]) => '  ' + key.padEnd(width) + ' = ' + literal(value));
  for (const [key, value] of given.filter(([, v]) => typeof v === 'object')) {
    const inner = Object.entries(value);
    const wide = Math.max(0, ...inner.map(([k]) => quoted(k).length));
    lines.push('  ' + key + ' = {', ...inner.map(([k, v]) => '    ' + quoted(k).padEnd(wide) + ' = ' + (typeof v === 'object' ? '{ ' + Object.entries(v).map(([a, b]) => a + ' = ' + literal(b)).join(', ') + ' }' : literal(v))), '  }');
  }
  return ['resource "' + resource + '" "' + identifier(name) + '" {', ...lines, '}'].join('\n');
}

// literal is a value in Terraform's language, in which ${ and %{ would begin an expression.
function literal(value) {
  return typeof value === 'string' ? JSON.stringify(value).replaceAll('${', '$${').replaceAll('%{', '%%{') : String(value);
}

function quoted(key) { return /^[A-Za-z_][\w-]*$/.test(key) ? key : JSON.stringify(key); }

export function allocationSetImport(set) { return importBlock('cloudpam_allocation_set', set.name, set.pool + '/' + set.name); }

// allocationImport imports the whole set of a member: its name and size are the set's.
export function allocationImport(allocation) {
  if (allocation.set_key) {
    const set = setOf(allocation);
    return importBlock('cloudpam_allocation_set', set, allocation.pool + '/' + set);
  }
  return importBlock('cloudpam_allocation', allocation.name, allocation.pool + '/' + allocation.name);
}

// setOf is the name of the set that an allocation, NAME/KEY, is a member of.
export function setOf(allocation) {
  return allocation.name.slice(0, -allocation.set_key.length - 1);
}

// reservationImport names the block after the name, or else the reason, which is what people call a reservation then.
export function reservationImport(reservation) {
  return importBlock('cloudpam_reservation', (reservation.name || reservation.reason).toLowerCase().split(/[^a-z0-9]+/).slice(0, 4).join('_'), reservation.pool + '@' + reservation.cidr);
}

export function poolImport(pool) { return importBlock('cloudpam_pool', pool.name, pool.id); }

export function accountImport(account) {
  return importBlock('cloudpam_account', account.name, account.id);
}

export function accountResource() {
  return ['resource "cloudpam_account" "payments" {', '  cloud       = "aws"', '  external_id = "123456789012"', '  name        = "payments-prod"', '}'].join('\n');
}

export function reservationResource() {
  return [
    'resource "cloudpam_reservation" "merger" {', '  pool       = "corp"', '  cidr       = "10.64.0.0/12"', '  reason     = "kept for the merger"', '  expires_at = "' + (new Date().getFullYear() + 1) + '-06-30T00:00:00Z"', '}',
  ].join('\n');
}

function importBlock(resource, name, id) {
  return ['import {', '  to = ' + resource + '.' + identifier(name), '  id = "' + id + '"', '}'].join('\n');
}

// providerBlock shows what decides whether, for how long and to whom plans are promised their CIDRs.
export function providerBlock() {
  return [
    'provider "cloudpam" {',
    '  plan_mode = "hold" # "off": CIDRs are known after apply',
    '  hold_ttl  = "24h"  # after it, the space is used last',
    '  holder    = "network/prod"',
    '}',
  ].join('\n');
}

// likelyLength is a size this pool would give: its own default, else the usual subnet within its limits.
function likelyLength(pool) {
  if (pool.default_prefix_length) return pool.default_prefix_length;
  const { bits, length } = parse(pool.cidr);
  const usual = bits === 32 ? 24 : 64;
  const shortest = Math.max(pool.min_prefix_length || 0, Math.min(bits, length + 1));
  return Math.min(pool.max_prefix_length || bits, Math.max(shortest, usual));
}

function identifier(name) {
  const word = name.replace(/[^A-Za-z0-9_]/g, '_');
  return /^[A-Za-z_]/.test(word) ? word : '_' + word;
}
