import { get, remove } from './api.js';
import { start } from './app.js';
import { AGE, CIDR, IN_POOL, NAME } from './columns.js';
import { facts } from './facts.js';
import { holdName, isGrowth, moment, plural, shortMoment } from './format.js';
import { listing } from './listing.js';
import { part, read } from './parts.js';
import { countAll, releaseAll } from './release-all.js';
import { releasing } from './releasing.js';
import { providerBlock } from './terraform.js';
import { rowOf, table } from './table.js';
import { report } from './toasts.js';

const FILTERS = ['pool', 'holder', 'actor', 'scope', 'kept', 'sort'];
const COLUMNS = [
  { ...CIDR, sort: ['cidr'] }, { ...NAME, cell: (hold) => holdName(hold.name) }, IN_POOL, { head: 'Who', class: 'c-who', cell: (hold) => who(hold.actor, hold.holder) },
  { head: 'State', class: 'c-state', cell: (hold) => ({ text: life(hold.kept, hold.expires_at).stateWord, state: life(hold.kept, hold.expires_at).state }) }, { ...AGE, sort: ['-created', 'created'] },
];
const NONE = { id: '', name: '', cidr: '', pool: '', state: '', stateWord: '', means: '', advice: '', facts: [], poolLink: '', replaces: '', replacesLink: '', replacesWord: '', all: '', allLink: '', releasable: false };
const NO_DRAFT = { id: '', cidr: '' };

// Drafts are few: a plan makes one for each pool that it creates.
const DRAFTS = 1000;

function holds() {
  const list = listing({ resource: 'holds', one: 'hold', filters: FILTERS, row: rowOf({ place: 'holds', one: 'hold', columns: COLUMNS }), details, none: NONE });

  return {
    ...list,
    ...table({ resource: 'holds', place: 'holds', one: 'hold', columns: COLUMNS }),
    ...releasing({
      give(key) {
        if (this.leaving === 'all') return releaseAll(this.everything, key);
        return remove(this.leaving === 'draft' ? ['pool-drafts', this.draft.id] : ['holds', this.detail.id], key);
      },
      told() { return 'Released ' + { all: this.count, draft: this.draft.id, hold: this.detail.cidr }[this.leaving]; },
      async done() {
        if (this.leaving !== 'hold') {
          await Promise.all([this.loadDrafts(), this.load()]); // what was held in a draft went with it
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
    allDrafts: [], draftsPart: part(), draft: NO_DRAFT, leaving: 'hold', everything: { holds: [], drafts: [] }, counting: false,

    get filtered() { return this.isFiltered(); },
    get summary() { return this.counted('hold'); },
    get holders() { return [...new Set(this.rows.map((r) => r.item.holder).filter(Boolean))].sort(); },
    get actors() { return [...new Set(this.rows.map((r) => r.item.actor))].sort(); },
    get example() { return providerBlock(); },
    // nothing is held only if neither list has anything, and both were read.
    get nothing() { return this.state === 'empty' && this.draftsPart.state === 'ready' && !this.drafts.length; },
    get waiting() { return this.state === 'loading' || (this.state === 'empty' && this.draftsPart.state === 'loading' && !this.drafts.length); },

    // whose is whom the filters single out: all that they hold can be released at once.
    get whose() { return this.holder.trim() || this.actor.trim(); },
    get releasableAll() { return Boolean(this.whose) && (this.drafts.length > 0 || this.rows.some((r) => r.item.kept)); },
    get count() {
      const parts = [[this.everything.holds.length, 'hold'], [this.everything.drafts.length, 'draft pool']];
      return parts.filter(([n]) => n).map(([n, noun]) => plural(n, noun)).join(' and ');
    },
    get poolIsDraft() { return this.allDrafts.some((draft) => draft.id === this.detail.pool); },

    // drafts are those that the filters leave. A pool's are the draft itself and those that stand in it.
    get drafts() {
      const { pool, holder, actor, scope, kept } = this.query();
      if (kept === 'false') return [];
      return this.allDrafts.filter((d) => (!pool || d.id === pool || d.parent === pool) && (!holder || d.holder === holder) && (!actor || d.actor === actor) && (!scope || d.scope === scope));
    },

    // place is where a draft will stand. A scope that is not in the list is itself one that the plan will create.
    place(draft) {
      if (draft.parent) return draft.parent;
      return (this.scopes.length && !this.scopes.includes(draft.scope) ? 'new scope ' : 'scope ') + draft.scope;
    },

    init() {
      this.loadDrafts();
      return list.init.call(this);
    },

    async loadDrafts() {
      await read(this.draftsPart, () => get(['pool-drafts'], { limit: DRAFTS }), (page) => { this.allDrafts = page.items.map(draftRow); });
      if (this.draftsPart.state === 'failed') this.allDrafts = [];
    },

    retry() {
      if (this.draftsPart.state === 'failed') this.loadDrafts();
      return list.retry.call(this);
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

    // askReleaseAll counts first, since a list shows one page only.
    async askReleaseAll() {
      this.counting = true;
      try {
        const { items } = await get(['pool-drafts'], { limit: DRAFTS });
        this.allDrafts = items.map(draftRow);
        this.everything = await countAll(this.query(), this.drafts);
      } catch (error) {
        report(error);
        return;
      } finally {
        this.counting = false;
      }
      this.leaving = 'all';
      this.askRelease();
    },
  };
}

// A draft that a pool is to grow over is named POOL~CIDR.
function draftRow({ pool, grows, actor, holder, expires_at: until }) {
  const name = grows ? pool.id.slice(0, pool.id.lastIndexOf('~')) + ', to grow' : pool.id;
  return Object.freeze({ id: pool.id, name, cidr: pool.cidr, parent: pool.parent || '', scope: pool.scope, actor, holder, who: who(actor, holder), ...life(true, until) });
}

function who(actor, holder) { return holder ? actor + ' for ' + holder : actor; }

// life tells the three lives of a promise apart: it stands, it ran out but still has its space, it has none.
function life(kept, until) {
  if (!kept) return { state: 'lost', stateWord: 'Gone, only remembered' };
  if (Date.now() < Date.parse(until)) return { state: 'promised', stateWord: 'Promised until ' + shortMoment(until) };
  return { state: 'expired', stateWord: 'Expired ' + shortMoment(until) + ', space is used last' };
}

function details(hold) {
  const { state, stateWord } = life(hold.kept, hold.expires_at);
  const until = moment(hold.expires_at);
  const all = [
    ['Name', holdName(hold.name)], ['Pool', hold.pool], ['Scope', hold.scope], ['Placed by', hold.actor], ['Holder', hold.holder],
    ['Placed', moment(hold.created_at)], ['Renewed', hold.renewed_at === hold.created_at ? '' : moment(hold.renewed_at)], [state === 'promised' ? 'Until' : 'Ended', until], ['Id', hold.id, true],
  ];
  const whose = hold.holder ? { holder: hold.holder } : { actor: hold.actor };
  return {
    id: hold.id, name: holdName(hold.name), cidr: hold.cidr, pool: hold.pool, state, stateWord, releasable: hold.kept,
    means: meaning(state, until), advice: advice(state), facts: facts(all),
    poolLink: '/pools?' + new URLSearchParams({ scope: hold.scope, pool: hold.pool }),
    replaces: hold.replaces.startsWith('alloc_') ? hold.replaces : '', replacesWord: 'Open the allocation that it ' + toIt(hold.name), replacesLink: '/allocations?' + new URLSearchParams({ pool: hold.pool, allocation: hold.replaces }),
    all: 'All that ' + (hold.holder || hold.actor) + ' holds', allLink: '/holds?' + new URLSearchParams(whose),
  };
}

function toIt(name) {
  if (name.startsWith('leaving:')) return 'releases';
  if (name.startsWith('rename:')) return 'renames';
  return isGrowth(name) ? 'grows' : 'replaces';
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
    promised: 'Applying the plan turns the hold into what it was planned for. Planning again renews it. If you need the block, or the plan was abandoned, release it: anyone may.',
    expired: 'Nothing has to be done. Planning again renews the promise; releasing it frees the block now.',
    lost: 'Plan again for a fresh promise. A lost hold takes no space and is forgotten 90 days after it ended.',
  }[state];
}

start({ holds });
