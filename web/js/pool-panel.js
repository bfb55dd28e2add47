// The panel beside the tree: one pool, its space, what is free, what it handed out, and how to use it.
import { allocate } from './allocating.js';
import { all, get } from './api.js';
import { copyText } from './clipboard.js';
import { holdName, plural } from './format.js';
import { me } from './me.js';
import { mix } from './mix.js';
import { part, read } from './parts.js';
import { poolActs } from './pool-acts.js';
import { poolBar } from './pool-bar.js';
import { promiseLink, shownOf } from './pool-facts.js';
import { poolMap } from './pool-map.js';
import { renaming } from './renaming.js';
import { ladder } from './size-ladder.js';
import { isDraft, kindOf, stateWord } from './space-map.js';
import { report } from './toasts.js';

// One page of the map is what a browser draws without a pause; a list longer than this is for the allocations page.
const MAP_PAGE = 1000;
const LISTED = 200;
const ALLOCATIONS = 25;

export function poolPanel() {
  let [pool, bar] = [null, null];
  // What is read again after a change: the tree, and with it this pool.
  const changed = () => dispatchEvent(new CustomEvent('pools-changed', { detail: pool.id }));
  let freeBlocks = [];
  let request = new AbortController();

  const rename = renaming({ subject: () => pool, done(renamed) { this.$dispatch('pool-renamed', { was: pool.id, now: renamed.id }); } });

  return mix(rename, poolBar(), poolMap({ subject: () => pool, done: changed }), {
    within: [], parent: '', delegated: '', quarantined: '', onlyFree: false, history: '',
    id: '', name: '', cidr: '', description: '', used: '', largest: '', free: '', count: '', facts: [], terraform: '',
    view: 'map', blocks: [], nextSpace: '', rungs: [], allocations: [],
    space: part(), sizes: part(), given: part(), loadingMore: false,

    get historyOf() { return this.history; },
    get mayAllocate() { return Boolean(this.id) && me.may('operator', pool.scope, this.within); },
    get shownBlocks() { return this.blocks.filter((block) => (!this.onlyFree || block.status === 'free') && !this.fades(block)); },
    get listed() { return this.shownBlocks.slice(0, LISTED).map((block) => ({ free: block.status === 'free', cidr: block.cidr, class: kindOf(block), word: stateWord(block), name: block.name || '', link: promiseLink(pool.id, block) })); },
    get unlisted() { return this.shownBlocks.length - LISTED; },
    get unlistedLabel() { return this.unlisted + ' more blocks are on the map only.'; },
    get mapNote() {
      if (this.space.state === 'ready') return plural(this.blocks.length, 'block') + (this.nextSpace ? ' so far' : '');
      return this.space.state === 'loading' ? 'Loading…' : '';
    },
    get mapHint() { return this.space.state === 'ready' ? 'Choose a block to see what it is: by pointer, tap or arrow keys.' : ''; },
    get nothingFree() { return this.sizes.state === 'ready' && !this.rungs.length; },
    get noAllocations() { return this.given.state === 'ready' && !this.allocations.length; },
    get mapLabel() { return 'Address map of ' + this.name + ': ' + this.used + ' in use, largest free block ' + this.largest + '. The list view says the same in words.'; },
    get reserved() { return this.blocks.filter((block) => block.kind === 'reservation').length; },
    get reservedNote() { return 'Kept out of use: ' + plural(this.reserved, 'block') + (this.nextSpace ? ' so far' : '') + '.'; },
    get reservationsLink() { return '/reservations?pool=' + encodeURIComponent(this.id); },
    get allActs() { return this.id ? poolActs(pool, this.within, (id) => dispatchEvent(new CustomEvent('pools-changed', { detail: id }))) : []; },
    get ladderHint() { return this.mayAllocate ? 'A free chip allocates its block, a taken one says by whom.' : 'A free chip copies its CIDR, a taken one says by whom.'; },
    get reserveLink() { return '/reservations?new=&pool=' + encodeURIComponent(this.id); },
    get held() { return this.blocks.filter((block) => block.kind === 'hold').length; },
    get drafts() { return this.blocks.filter(isDraft).length; },
    get promised() { return this.held + this.drafts > 0; },
    get promisedNote() {
      const parts = [this.held ? plural(this.held, 'block') : '', this.drafts ? plural(this.drafts, 'draft pool') : ''];
      return 'Promised to plans: ' + parts.filter(Boolean).join(' and ') + (this.nextSpace ? ' so far' : '') + '.';
    },
    get holdsLink() { return '/holds?pool=' + encodeURIComponent(this.id); },
    get changesLink() { return this.id ? '/audit?' + new URLSearchParams({ within: this.cidr, scope: pool.scope }) : ''; },
    get compareLink() { return this.id ? '/compare?' + new URLSearchParams({ within: this.cidr, scope: pool.scope }) : ''; },
    get analyticsLink() { return '/analytics?pool=' + encodeURIComponent(this.id); },
    get policyLink() { return '/policies?pool=' + encodeURIComponent(this.id); },
    get allocationsLink() { return '/allocations?pool=' + encodeURIComponent(this.id); },

    show(node) {
      request.abort();
      request = new AbortController();
      [pool, bar] = [node.pool, node.space_bar];
      freeBlocks = [];
      this.fill(node);
      // Of their own for each pool: what an earlier pool asked for must not change what is said of this one.
      Object.assign(this, { space: part(), sizes: part(), given: part(), loadingMore: false });
      return this.readParts();
    },

    // readSpace reads as much of the map as there was.
    readSpace() {
      const { signal } = request;
      return read(this.space, () => all(['pools', pool.id, 'space'], {}, Math.max(MAP_PAGE, this.blocks.length), { signal }), (page) => this.takeSpace([], page));
    },

    readSizes() {
      return this.ask(this.sizes, ['pools', pool.id, 'free-blocks'], {}, (free) => {
        freeBlocks = free.items;
        this.climb();
      });
    },

    readGiven() {
      return this.ask(this.given, ['allocations'], { pool: pool.id, limit: ALLOCATIONS }, (page) => {
        this.allocations = page.items.map((a) => ({ id: a.id, cidr: a.cidr, name: a.name, owner: a.owner, description: a.description, link: '/allocations?pool=' + encodeURIComponent(a.pool) + '&allocation=' + encodeURIComponent(a.id) }));
      });
    },

    ask(part, path, query, take) {
      const { signal } = request;
      return read(part, () => get(path, query, { signal }), take);
    },

    fill(node) {
      Object.assign(this, shownOf(node), { blocks: [], nextSpace: '', rungs: [], allocations: [] });
      this.layBar(node);
      this.forgetMap();
      this.$refs.panel.scrollTop = 0;
    },

    // renew shows what became of the pool that is open, and leaves what is chosen in it, and how far it was read and scrolled.
    renew(node) {
      if (!this.id) return this.show(node);
      request.abort();
      request = new AbortController();
      if (JSON.stringify(node.space_bar) !== JSON.stringify(bar)) this.layBar(node, this.barAt);
      [pool, bar] = [node.pool, node.space_bar];
      Object.assign(this, shownOf(node), { loadingMore: false });
      this.repaint();
      for (const of of [this.space, this.sizes, this.given]) of.quietly = true;
      return this.readParts();
    },

    readParts() { return Promise.all([this.readSpace(), this.readSizes(), this.readGiven()]); },

    takeSpace(before, page) {
      this.layMap([...before, ...page.items.map((block) => Object.freeze(block.kind === 'hold' ? { ...block, name: holdName(block.name) } : block))]);
      this.nextSpace = page.next_page_token || '';
      this.climb();
    },

    // climb builds the ladder from what is known so far: rungs without chips until the whole map is.
    climb() {
      this.rungs = ladder(pool, freeBlocks, this.blocks, this.blocks.length > 0 && !this.nextSpace);
    },

    async loadMoreSpace() {
      const { signal } = request;
      this.loadingMore = true;
      try {
        this.takeSpace(this.blocks, await get(['pools', pool.id, 'space'], { limit: MAP_PAGE, page_token: this.nextSpace }, { signal }));
      } catch (error) {
        report(error);
      }
      if (!signal.aborted) this.loadingMore = false;
    },

    clear() {
      request.abort();
      this.id = '';
      this.blocks = [];
    },

    close() { this.$dispatch('panel-closed'); },

    openParent() { this.$dispatch('pool-wanted', this.parent); },
    allocate(block) { allocate({ pool: pool.id, block, done: changed }); },

    // take allocates a block or a size, for those who may, and copies it for the others.
    take(block, cidr) { if (this.mayAllocate) this.allocate(block); else copyText(cidr); },
    takeChip(chip) { if (chip.free) this.take(chip.cidr, chip.cidr); },
  });
}
