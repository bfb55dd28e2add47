// The address map as an instrument: a tip under the pointer, the arrow keys from block to block, and what can be done with the
// block that was chosen. A tap or a click chooses; only a button leads on.
import { allocate } from './allocating.js';
import { all, get, isAbort } from './api.js';
import { copyText } from './clipboard.js';
import { moment } from './format.js';
import { COLOURS, colouring } from './map-colours.js';
import { me } from './me.js';
import { linkTo } from './places.js';
import { newPool } from './pool-acts.js';
import { drawMap, isDraft, stateWord } from './space-map.js';
import { report } from './toasts.js';

// KNOWN is how many allocations are read to colour by what is said of them.
const KNOWN = 5000;

const SOURCES = { allocation: 'allocations', reservation: 'reservations', hold: 'holds', quarantine: 'quarantines', pool: 'pools' };

// poolMap is a part of the panel; subject is the pool, done runs after a change.
export function poolMap({ subject, done }) {
  let known = new Map();
  let knownOf = '';

  return {
    colours: COLOURS, colour: 'kind', hideUsed: false, hideUnavailable: false, coloured: 0, chosen: -1, about: '', tip: '', tipStyle: {},

    get chosenBlock() { return this.blocks[this.chosen] || null; },
    get chosenText() { return this.chosenBlock ? words(this.chosenBlock) : ''; },
    get chosenActs() { return this.chosenBlock ? this.actsOf(this.chosenBlock) : []; },
    get legend() { return this.coloured >= 0 ? colouring(this.colour, this.blocks, known).legend : []; },
    get byKind() { return this.colour === 'kind'; },

    // fades reports whether a block is hidden: what is used, or what nobody can have although nobody uses it.
    fades(block) {
      const unavailable = ['reserved', 'quarantined'].includes(block.status);
      return block.status !== 'free' && (unavailable ? this.hideUnavailable : this.hideUsed);
    },

    drawMap(svg, blocks, cidr, colour, coloured, chosen) {
      if (coloured < 0) return;
      drawMap(svg, blocks, cidr, colouring(colour, blocks, known).of, (block) => this.fades(block));
      const mark = svg.querySelector('[data-block="' + chosen + '"]');
      if (mark) mark.classList.add('chosen');
    },

    // paint reads what is to be coloured by, once for a pool.
    async paint() {
      const pool = subject();
      if (this.colour === 'kind' || knownOf === pool.id) return;
      try {
        const [accounts, ...read] = await Promise.all([all(['accounts'], {}, KNOWN), all(['allocations'], { pool: pool.id }, KNOWN), all(['pools'], { parent: pool.id }, 1000)]);
        if (pool !== subject()) return;
        const platforms = new Map(accounts.items.map((account) => [account.id, account.platform]));
        known = new Map(read.flatMap(({ items }) => items).map((item) => [item.id, { ...item, platform: platforms.get(item.account) || '' }]));
        knownOf = pool.id;
        this.coloured += 1;
      } catch (error) {
        report(error, 'What to colour by could not be loaded');
      }
    },

    forgetMap() {
      [this.chosen, this.about, this.tip, knownOf, known] = [-1, '', '', '', new Map()];
      if (this.colour !== 'kind') this.paint();
    },

    // layMap shows other blocks. The one that was chosen stays so, with what is said of it by now.
    layMap(blocks) {
      const was = this.chosenBlock;
      if (JSON.stringify(blocks) === JSON.stringify(this.blocks)) return;
      [this.blocks, this.tip] = [blocks, '']; // what is below a resting pointer may be another block
      if (!was) return;
      this.chosen = blocks.findIndex((block) => block.cidr === was.cidr);
      if (this.chosen < 0) this.about = ''; else if (JSON.stringify(this.chosenBlock) !== JSON.stringify(was)) this.choosing(this.chosen);
    },

    // repaint asks again for what to colour by.
    repaint() {
      knownOf = '';
      this.paint();
    },

    // point shows a tip beside the pointer.
    point(event) {
      const index = event.target.dataset.block;
      const block = index === undefined ? null : this.blocks[Number(index)];
      this.tip = block && event.pointerType !== 'touch' ? words(block) : '';
      if (!block) return;
      const box = event.currentTarget.getBoundingClientRect();
      const right = event.clientX > box.left + box.width / 2;
      this.tipStyle = { top: event.clientY - box.top + 14 + 'px', left: right ? 'auto' : event.clientX - box.left + 8 + 'px', right: right ? box.right - event.clientX + 8 + 'px' : 'auto' };
    },

    unpoint() { this.tip = ''; },

    choose(event) {
      const index = event.target.dataset.block;
      if (index !== undefined) this.choosing(Number(index));
    },

    // choosing says all that is known of a block, of its owner too.
    async choosing(index) {
      this.chosen = index;
      this.about = '';
      const block = this.blocks[index];
      if (!block || !SOURCES[block.kind] || isDraft(block)) return;
      try {
        const owner = await get([SOURCES[block.kind], block.owner_id]);
        if (this.chosenBlock === block) this.about = said(owner);
      } catch (error) {
        if (!isAbort(error) && this.chosenBlock === block) this.about = 'What is said of it could not be loaded.';
      }
    },

    // mapKey goes from block to block in the order of addresses; Enter does the first thing that the block offers.
    mapKey(event) {
      const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      const edge = { Home: 0, End: this.blocks.length - 1 }[event.key];
      if (step || edge !== undefined) {
        event.preventDefault();
        event.stopPropagation();
        const to = edge === undefined ? (this.chosen < 0 ? 0 : this.chosen + step) : edge;
        this.choosing(Math.min(this.blocks.length - 1, Math.max(0, to)));
      } else if (event.key === 'Enter' && this.chosenActs.length) {
        event.preventDefault();
        this.chosenActs[0].run();
      }
    },

    // actsOf is what can be done with a block. What a role may not do is not among it.
    actsOf(block) {
      const pool = subject();
      if (block.status === 'free') {
        const acts = me.may('operator', pool.scope, this.within) ? [{ word: 'Allocate', run: () => allocate({ pool: pool.id, block: block.cidr, done }) }] : [];
        if (me.may('admin', pool.scope, this.within)) acts.push({ word: 'New child', run: () => newPool({ parent: pool.id, scope: pool.scope, block: block.cidr, done }) });
        return [...acts, { word: 'Copy', run: () => copyText(block.cidr) }];
      }
      if (block.kind === 'pool' && !isDraft(block)) return [{ word: 'Zoom in', run: () => this.$dispatch('pool-wanted', block.owner_id) }];
      return [{ word: 'Open', run: () => location.assign(linkTo({ ...block, scope: pool.scope })) }];
    },
  };
}

function words(block) { return block.cidr + '  ' + stateWord(block) + (block.name ? '  ' + block.name : ''); }

// said is who has a block, since when and why.
function said(owner) {
  const since = owner.created_at ? 'since ' + moment(owner.created_at) : '';
  const until = owner.expires_at || owner.until;
  return [owner.owner && 'of ' + owner.owner, owner.holder && 'for ' + owner.holder, owner.reason || owner.description, owner.environment, owner.region, owner.account, since, until && 'until ' + moment(until)].filter(Boolean).join(' · ');
}
