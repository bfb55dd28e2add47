import { start } from './app.js';
import { adopt, modulesOf, tarOf } from './drift-acts.js';
import { chosenOr, ignore, seeAgain } from './drift-ignoring.js';
import { ACCOUNT, SCOPE, extra } from './columns.js';
import { facts } from './facts.js';
import { age, moment } from './format.js';
import { me } from './me.js';
import { records } from './records.js';
import { report } from './toasts.js';

// MEANS says what each kind of difference is.
const MEANS = {
  unmanaged: 'The cloud has it, and CloudPAM does not: nobody allocated it here.', missing: 'CloudPAM has it, and the cloud does not show it.', mismatched: 'Both have it, with different facts.',
  conflicting: 'What the cloud shows overlaps what is planned for something else.', misplaced: 'It is in another account, region or network than planned.',
};
const ANSWERS = { adopt: 'Adopt it: allocate its block, so that it is managed.', create: 'Create it in the cloud, by Terraform.', release: 'Release it here.' };

// beside puts the Terraform of the account into the open drawer, once it is read.
async function beside(d, list) {
  try {
    const { text } = await modulesOf(d.account);
    if (list.detail.id === d.id) list.detail.terraform = text;
  } catch (error) {
    report(error, 'The Terraform of ' + d.account + ' could not be written');
  }
}

// mayAnswer reports whether one may say what becomes of the drift of a scope, which takes a role in all of it.
function mayAnswer(scope) { return me.may('operator', scope || 'default', []); }

function acts(d, list) {
  const can = d.task === 'adopt' && me.may('operator', d.scope) ? [{ word: 'Adopt…', first: true, run: () => adopt([d], list) }] : [];
  if (!mayAnswer(d.scope)) return can;
  if (d.ignored) return [...can, { word: 'See again', run: () => seeAgain([d], list) }];
  return byRule(d) ? can : [...can, { word: 'Ignore…', run: () => ignore([d], list) }];
}

function byRule(d) { return d.action === 'ignore' && !d.ignored; }

// ignoredWord says who ignores it, and until when.
function ignoredWord(d) {
  if (d.ignored) return 'Ignored by ' + d.ignored.by + ' until its facts change: ' + d.ignored.reason;
  return byRule(d) ? 'The rule ' + (d.rule + 1) + ' ignores it, as long as it stands' : '';
}

// ofAll does something with what was chosen, or else with all that the filters leave.
async function ofAll(list, only, what) {
  try {
    const { items, complete } = await chosenOr(list, only);
    if (items.length) await what(items, complete);
    else report({ title: 'Nothing to answer', text: 'Nothing of that kind is among what these filters leave.' });
  } catch (error) {
    report(error, 'What there is to answer could not be read');
  }
}

function headActs(list) {
  const n = list.chosenItems().length || 'all';
  const adoptable = list.chosenItems().filter((d) => d.task === 'adopt').length || (n === 'all' ? 'all' : 0);
  const answers = [];
  if (me.may('operator') && adoptable) answers.push({ word: 'Adopt ' + adoptable + '…', first: true, run: () => ofAll(list, { kind: 'unmanaged' }, (items, complete) => adopt(items.filter((d) => d.task === 'adopt'), list, complete)) });
  if (!mayAnswer(list.scope)) return answers;
  if (list.ignored) return [...answers, { word: 'See ' + n + ' again', run: () => ofAll(list, {}, (items) => seeAgain(items, list)) }];
  return [...answers, { word: 'Ignore ' + n + '…', run: () => ofAll(list, {}, (items, complete) => ignore(items, list, complete)) }];
}

function details(d, list) {
  if (d.account) beside(d, list);
  return {
    acts: acts(d, list), why: ignoredWord(d),
    id: d.id, title: d.kind, cidr: d.cidr, lead: MEANS[d.kind], state: 'drift-' + d.kind, stateWord: d.detail,
    facts: facts([['Account', d.account, true], ['Region', d.region], ['Scope', d.scope], ['Desired', d.desired, true], ['Observed', d.observed, true], ['Pool', d.pool], ['Answer', ANSWERS[d.task] || 'Somebody has to look.'], ['Since', d.since ? moment(d.since) : ''], ['Id', d.id, true]]),
    links: [
      ...(d.pool ? [{ href: '/pools?' + new URLSearchParams({ scope: d.scope, pool: d.pool }), text: 'Open the pool around it' }] : []), ...(d.desired.startsWith('alloc_') ? [{ href: '/allocations?allocation=' + encodeURIComponent(d.desired), text: 'Its allocation' }] : []),
      ...(d.account ? [{ href: tarOf(d.account), text: 'The Terraform of its account as a tar' }, { href: '/drift?' + new URLSearchParams({ scope: d.scope, account: d.account }), text: 'All drift of its account' }] : []),
      { href: '/networks?' + new URLSearchParams({ contains: d.cidr }), text: 'What clouds show there' }, { href: '/find?' + new URLSearchParams({ cidr: d.cidr, scope: d.scope }), text: 'What CloudPAM has there' },
    ],
  };
}

start({ records: () => records({
  resource: 'drifts', place: 'drift', one: 'drift', noun: 'difference', fields: [{ ...SCOPE, placeholder: 'default' }, { name: 'kind', label: 'Kind', options: [['', 'All'], ...Object.keys(MEANS).map((kind) => [kind, kind])] }, ACCOUNT, { name: 'ignored', label: 'Answered', options: [['', 'Not ignored'], ['true', 'Ignored']] }],
  columns: [{ head: 'CIDR', class: 'c-cidr', cell: (d) => ({ text: d.cidr, code: true }) }, { head: 'Difference', class: 'c-name', opens: true, cell: (d) => ({ text: d.kind, title: MEANS[d.kind] }) }, { head: 'Detail', class: 'c-who', cell: (d) => (d.ignored || byRule(d) ? ignoredWord(d) : d.detail) }, { head: 'Account', class: 'c-pool', cell: (d) => d.account }, extra('Region', 'region'), extra('Answer', 'task'), { head: 'Since', class: 'c-age num muted', cell: (d) => (d.since ? { text: age(d.since), title: moment(d.since) } : '') }],
  listed: true, details, acts: headActs, chooses: { may: (d) => me.may('operator', d.scope), what: (d) => d.kind + ' ' + d.cidr },
  empty: ['No difference was found.', 'Where a cloud shows something else than is planned here, it stands in this list. Only what accounts have been looked at can differ.'],
}) });
