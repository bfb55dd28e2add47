// The queue of changes that wait for a second person: what is asked, by whom, why, and what is around the block. One or several are
// decided at once.
import { Problem, create, get, isAbort } from './api.js';
import { start } from './app.js';
import { POOL, SCOPE } from './columns.js';
import { facts } from './facts.js';
import { ask } from './form.js';
import { age, labelText, moment, plural } from './format.js';
import { me } from './me.js';
import { records } from './records.js';
import { drawMap } from './space-map.js';
import { report } from './toasts.js';

// MEANS says what a status is, and the class of its mark.
const MEANS = {
  pending: ['Waits for a decision', 'promised'], approved: ['Approved, and waits for the change', 'lives'], refused: ['Refused', 'fails'], used: ['Approved, and the change was made', 'kept'],
  expired: ['Expired', 'ended'], superseded: ['Superseded', 'lost'], withdrawn: ['Withdrawn', 'lost'],
};
const STATUSES = [['', 'All'], ...Object.keys(MEANS).map((status) => [status, status])];

// MAP_PAGE is the most blocks of a pool that the map shows: past that, it is looked at on the page of the pool.
const MAP_PAGE = 1000;

// standing is how far a request is, and why whoever is signed in cannot decide it; '' where he can. The server has the last word.
function hindrance(a) {
  if (a.status !== 'pending' && a.status !== 'approved') return MEANS[a.status][0] + ': there is nothing to decide.';
  if (!me.may('admin', a.scope)) return 'This takes the role admin in the pool ' + a.blocks[0].policy_pool + '.';
  const { kind, name, principal } = me.who();
  if (!kind) return '';
  if (kind === 'token' && name === 'bootstrap') return Date.now() < Date.parse(a.emergency_at) ? 'The first token stands in for a second person from ' + moment(a.emergency_at) + ' on.' : '';
  if (principal === a.requester) return 'You asked for this yourself. Somebody else decides.';
  return kind === 'user' ? '' : 'Only a person decides, signed in by an issuer; you are signed in as a ' + kind + '.';
}

function action(a) { return { created: 'new', updated: 'change of', restored: 'restoration of', released: 'release of', deleted: 'deletion of' }[a.action.split('.')[1]] || a.action.split('.')[1]; }

function givesUp(a) { return a.blocks[0].rule === 'release_approval_above'; }

function what(a) { return action(a) + ' ' + a.blocks[0].kind + ' ' + a.blocks[0].name + (a.blocks.length > 1 ? ' and ' + (a.blocks.length - 1) + ' more' : ''); }

// decide asks why, and tells the server. What it refuses is told one by one.
function decide(all, decision, list) {
  const refuse = decision === 'refuse';
  const one = all.length === 1;
  ask({
    title: (refuse ? 'Refuse ' : 'Approve ') + (one ? what(all[0]) : plural(all.length, 'request')) + '?', danger: refuse, word: refuse ? 'Refuse' : 'Approve',
    lead: one ? all[0].blocks.map((b) => b.cidr + ' in ' + b.pool).join(', ') + ', asked for by ' + all[0].requested_by + '. ' + (refuse ? (givesUp(all[0]) ? 'The block stays where it is' : 'The block becomes free') + ', and the requester is told why.' : 'It is of exactly this, and counts once.') : all.map((a) => a.blocks[0].cidr + ' for ' + a.requested_by).join(', ') + '.',
    fields: [{ name: 'comment', label: 'Reason', required: refuse, max: 1024, help: refuse ? 'What the requester is told.' : 'For the audit log.' }],
    send: async ({ comment }, key) => {
      const answer = await create(['approval-decisions'], { decisions: all.map((a) => ({ approval: a.id, digest: a.digest, decision, ...(comment && { comment }) })) }, key);
      const refused = answer.items.filter((item) => item.problem).map((item) => item.problem);
      if (refused.length === all.length) throw new Problem(refused[0].status, { ...refused[0], errors: refused[0].errors && refused[0].errors.map((e) => ({ ...e, pointer: e.pointer.replace(/^\/decisions\/0/, '') })) });
      for (const problem of refused) report(new Problem(problem.status, problem), 'One was not decided');
      return all.length - refused.length;
    },
    told: (n) => (refuse ? 'Refused ' : 'Approved ') + plural(n, 'request'),
    done: () => {
      list.chosen = [];
      return list.refreshAll();
    },
  });
}

function details(a, list) {
  const b = a.blocks[0];
  const why = hindrance(a);
  list.around(a);
  const acts = why ? [] : [...(a.status === 'pending' ? [{ word: 'Approve…', first: true, run: () => decide([a], 'approve', list) }] : []), { word: 'Refuse…', run: () => decide([a], 'refuse', list) }];
  return {
    id: a.id, title: what(a), cidr: b.cidr, lead: b.detail, state: MEANS[a.status][1], stateWord: MEANS[a.status][0], acts, why, history: a.id,
    facts: facts([
      ['Pool', b.pool, true], ['Was', givesUp(a) && b.was === b.cidr ? '' : b.was, true], ['Asked for by', a.requested_by, true], ['Reason', a.reason], ['From', a.source], ['Owner', b.owner], ['Purpose', b.purpose], ['Account', b.account, true], ['Region', b.region], ['Environment', b.environment],
      ['Labels', b.labels ? labelText(b.labels) : ''], ['Rule', b.rule + ' ' + b.above + ' of ' + b.policy_pool, true], ['Who decides', a.deciders], ['Asked', moment(a.created_at)], ['Until', moment(a.until)],
      ['Decided by', a.decided_by ? a.decided_by + (a.emergency ? ', in place of a second person' : '') : ''], ['Decided', a.decided_at ? moment(a.decided_at) : ''], ['Why', a.comment], ['Id', a.id, true],
    ]),
    heads: ['Block', 'Name', 'Pool', 'Rule'], table: a.blocks.length > 1 ? a.blocks.map((one, at) => ({ key: at, cells: [one.cidr, one.name, one.pool, one.detail].map((text, i) => ({ key: i, text, class: i < 1 ? 'mono' : '' })) })) : [],
    links: [{ href: '/pools?' + new URLSearchParams({ scope: a.scope, pool: b.pool }), text: 'Open the pool' }, { href: '/find?' + new URLSearchParams({ cidr: b.cidr, scope: a.scope }), text: 'What is there' }],
  };
}

// deciding are the answers to what is chosen.
function deciding(list) {
  const chosen = list.chosenItems();
  const pending = chosen.filter((a) => a.status === 'pending');
  return [...(pending.length ? [{ word: 'Approve ' + pending.length + '…', first: true, run: () => decide(pending, 'approve', list) }] : []), ...(chosen.length ? [{ word: 'Refuse ' + chosen.length + '…', run: () => decide(chosen, 'refuse', list) }] : [])];
}

function approvals() {
  let looking = new AbortController();
  const base = records({
    resource: 'approvals', one: 'approval', noun: 'request', search: 'name, requester or reason', fields: [{ name: 'status', label: 'Status', options: STATUSES }, POOL, { ...SCOPE, placeholder: 'default' }, { name: 'requester', label: 'Asked for by', placeholder: 'token:ci' }],
    columns: [
      { head: 'CIDR', class: 'c-cidr', cell: (a) => ({ text: a.blocks[0].cidr, code: true }) }, { head: 'What', class: 'c-name', opens: true, cell: what }, { head: 'Pool', class: 'c-pool', cell: (a) => a.pool },
      { head: 'Asked for by', class: 'c-who', cell: (a) => a.requested_by }, { head: 'Status', class: 'c-state', cell: (a) => ({ text: a.status, state: MEANS[a.status][1], title: MEANS[a.status][0] }) }, { head: 'Age', class: 'c-age num muted', cell: (a) => ({ text: age(a.created_at), title: moment(a.created_at) }) },
    ],
    chooses: { may: (a) => !hindrance(a), what }, acts: deciding, details, empty: ['Nothing was asked for.', 'Where the policy of a pool has approval_above, larger blocks wait here until a second person approves them, and with release_approval_above before they are given up. The change is then sent again by who asked, and gets exactly what was shown.'],
    example: 'resource "cloudpam_policy" "corp" {\n  pool           = "corp"\n  approval_above = 24\n}',
  });
  // Descriptors, since a getter that is spread would be asked once and never again.
  return Object.defineProperties(base, Object.getOwnPropertyDescriptors({
    blocks: [], mapOf: '', mapWhy: '', marked: '',

    get mapLabel() { return 'Map of the pool ' + this.mapOf + '; what is asked for is marked'; },

    // around reads what is next to a block, for the map in the drawer.
    async around(a) {
      looking.abort();
      looking = new AbortController();
      const { pool, cidr } = a.blocks[0];
      [this.blocks, this.mapOf, this.mapWhy, this.marked] = [[], '', '', cidr];
      try {
        const [of, space] = await Promise.all([get(['pools', pool], {}, { signal: looking.signal }), get(['pools', pool, 'space'], { limit: MAP_PAGE }, { signal: looking.signal })]);
        if (space.next_page_token) this.mapWhy = 'The pool has more blocks than fit here: open it to see them.';
        [this.blocks, this.mapOf, this.poolCIDR] = [space.items, of.id, of.cidr];
      } catch (error) {
        if (!isAbort(error)) this.mapWhy = 'The map of the pool could not be loaded: ' + (error.text || error.message);
      }
    },
    poolCIDR: '',

    drawAround(svg, blocks, cidr, marked) {
      if (!cidr || !blocks.length) return;
      drawMap(svg, blocks, cidr);
      const at = blocks.findIndex((block) => block.cidr === marked);
      const mark = svg.querySelector('[data-block="' + at + '"]');
      if (mark) mark.classList.add('chosen');
    },
  }));
}

start({ records: approvals });
