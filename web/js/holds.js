import { get } from './api.js';
import { start } from './app.js';
import { age, moment, plural, shortMoment } from './format.js';
import { facts, listing } from './listing.js';
import { releasing } from './releasing.js';
import { providerBlock } from './terraform.js';
import { report } from './toasts.js';

const FILTERS = ['pool', 'holder', 'actor', 'scope'];
const NONE = { id: '', name: '', cidr: '', pool: '', state: '', stateWord: '', means: '', advice: '', facts: [], poolLink: '', releasable: false };
const NO_DRAFT = { id: '', cidr: '' };

// Drafts are few: a plan makes one for each pool that it creates.
const DRAFTS = 1000;

function holds() {
  const list = listing({ resource: 'holds', one: 'hold', filters: FILTERS, row, details, none: NONE });

  return {
    ...list,
    ...releasing({
      path() { return this.leaving === 'draft' ? ['pool-drafts', this.draft.id] : ['holds', this.detail.id]; },
      told() { return 'Released ' + (this.leaving === 'draft' ? this.draft.id : this.detail.cidr); },
      async done() {
        if (this.leaving === 'draft') {
          await Promise.all([this.loadDrafts(), this.load()]); // what was held in it went with it
          return;
        }
        const { id } = this.detail;
        this.closeDrawer();
        try {
          await this.refresh(id);
        } catch {
          await this.load(); // forgotten meanwhile
        }
      },
    }),
    allDrafts: [], draft: NO_DRAFT, leaving: 'hold',

    get filtered() { return this.isFiltered(); },
    get summary() {
      if (this.state !== 'ready') return '';
      return this.next ? 'the first ' + this.rows.length : plural(this.rows.length, 'hold');
    },
    get holders() { return [...new Set(this.rows.map((hold) => hold.holder).filter(Boolean))].sort(); },
    get actors() { return [...new Set(this.rows.map((hold) => hold.actor))].sort(); },
    get example() { return providerBlock(); },
    get nothing() { return this.state === 'empty' && !this.drafts.length; },

    // drafts are those that the filters leave. A pool's are the draft itself and those that stand in it.
    get drafts() {
      const { pool, holder, actor, scope } = this.query();
      return this.allDrafts.filter((d) => (!pool || d.id === pool || d.parent === pool) && (!holder || d.holder === holder) && (!actor || d.actor === actor) && (!scope || d.scope === scope));
    },

    init() {
      this.loadDrafts();
      return list.init.call(this);
    },

    async loadDrafts() {
      try {
        this.allDrafts = (await get(['pool-drafts'], { limit: DRAFTS })).items.map(draftRow);
      } catch (error) {
        report(error);
      }
    },

    askReleaseHold() {
      this.leaving = 'hold';
      this.askRelease();
    },

    askReleaseDraft(draft) {
      this.leaving = 'draft';
      this.draft = draft;
      this.askRelease();
    },
  };
}

function draftRow({ pool, actor, holder, expires_at: until }) {
  const expired = Date.now() >= Date.parse(until);
  return Object.freeze({
    id: pool.id, cidr: pool.cidr, parent: pool.parent || '', scope: pool.scope, actor, holder, place: pool.parent || 'scope ' + pool.scope,
    state: expired ? 'expired' : 'promised', stateWord: (expired ? 'Expired, space still kept' : 'Promised until ' + shortMoment(until)),
  });
}

// stateOf tells the three lives of a hold apart: it stands, it ran out but still has its space, it has none.
function stateOf(hold) {
  if (!hold.kept) return 'lost';
  return Date.now() < Date.parse(hold.expires_at) ? 'promised' : 'expired';
}

function stateWord(hold) {
  return {
    promised: 'Promised until ' + shortMoment(hold.expires_at),
    expired: 'Expired, space still kept',
    lost: 'Lost, only remembered',
  }[stateOf(hold)];
}

function row(hold) {
  return Object.freeze({
    id: hold.id, cidr: hold.cidr, name: hold.name, pool: hold.pool, actor: hold.actor, holder: hold.holder, state: stateOf(hold), stateWord: stateWord(hold),
    age: age(hold.created_at), created: moment(hold.created_at),
  });
}

function details(hold) {
  const state = stateOf(hold);
  const until = moment(hold.expires_at);
  const all = [
    ['Pool', hold.pool], ['Scope', hold.scope], ['Placed by', hold.actor], ['For', hold.holder], ['Replaces', hold.replaces, true],
    [state === 'promised' ? 'Until' : 'Ended', until], ['Placed', moment(hold.created_at)], ['Renewed', hold.renewed_at === hold.created_at ? '' : moment(hold.renewed_at)], ['Id', hold.id, true],
  ];
  return {
    id: hold.id, name: hold.name, cidr: hold.cidr, pool: hold.pool, state, stateWord: stateWord(hold), releasable: hold.kept,
    means: meaning(state, until), advice: advice(state), facts: facts(all),
    poolLink: '/pools?' + new URLSearchParams({ scope: hold.scope, pool: hold.pool }),
  };
}

function meaning(state, until) {
  return {
    promised: 'A plan was shown this CIDR and gets it when it is applied. Nothing else is given the block until ' + until + '; after that its space is used last.',
    expired: 'The promise ran out on ' + until + ', but nothing has needed the space since. An apply still gets this CIDR. Once nothing else fits in the pool, the oldest expired hold gives way first.',
    lost: 'The block was released, or taken after the promise ran out. This only remembers what the plan was shown: an apply gets this CIDR if it is free, and is otherwise told what is there now and changes nothing.',
  }[state];
}

function advice(state) {
  return {
    promised: 'Applying the plan turns the hold into the allocation. Planning again renews it. If you need the block, or the plan was abandoned, release it: anyone may.',
    expired: 'Nothing has to be done. Planning again renews the promise; releasing it frees the block now.',
    lost: 'Plan again for a fresh promise. A lost hold takes no space and is forgotten 90 days after it ended.',
  }[state];
}

start({ holds });
