// The form that reserves a block, and the request.
import { create, get, idempotencyKey } from './api.js';
import { parse } from './cidr.js';
import { note } from './toasts.js';

const EMPTY = { pool: '', block: '', name: '', reason: '', owner: '', until: '' };

// FIELDS are those of the form, by the names that the server has for them.
const FIELDS = { pool: 'pool', cidr: 'block', prefix_length: 'block', name: 'name', reason: 'reason', owner: 'owner', expires_at: 'until' };

// reserving is the part of a page's component that reserves. Its dialog is $refs.reserve; done gets the new reservation.
// What was typed stays there until it is reserved.
export function reserving({ done }) {
  // One key for one wish: pressing Reserve again after a lost answer repeats the request, and another wish is a new one.
  let key = '';
  let asked = '';

  return {
    wish: { ...EMPTY }, faults: { ...EMPTY }, sending: false, reserveRefusal: '', inTheWay: [],

    // askReserve opens the form, for a pool where one is known.
    askReserve(pool) {
      this.wish.pool = pool || this.wish.pool;
      this.forgive();
      this.$refs.reserve.showModal();
    },

    leaveReserve() { this.$refs.reserve.close(); },

    forgive() {
      this.faults = { ...EMPTY };
      this.reserveRefusal = '';
      this.inTheWay = [];
    },

    // findPool proposes the smallest pool around a CIDR while none is named, unless scopes differ.
    async findPool() {
      const cidr = this.wish.block.trim();
      if (this.wish.pool.trim() || !cidr.includes('/') || !parse(cidr)) return;
      try {
        const { items } = await get(['pools'], { contains: cidr, limit: 1000 });
        if (this.wish.pool.trim() || !items.length || items.some((pool) => pool.scope !== items[0].scope)) return;
        this.wish.pool = items.reduce((small, pool) => (pool.prefix_length > small.prefix_length ? pool : small)).id;
      } catch {
        // Only a proposal. What is wrong with the CIDR is told when it is sent.
      }
    },

    async reserve() {
      this.forgive();
      const body = request(this.wish);
      if (asked !== JSON.stringify(body)) {
        asked = JSON.stringify(body);
        key = idempotencyKey();
      }
      this.sending = true;
      let made;
      try {
        made = await create(['reservations'], body, key);
      } catch (error) {
        this.tell(error);
        return;
      } finally {
        this.sending = false;
      }
      asked = '';
      this.wish = { ...EMPTY };
      this.$refs.reserve.close();
      note('Reserved ' + made.cidr);
      await done.call(this, made);
    },

    // tell puts a refusal beside the field that it is about, else below the form: a toast would stand behind the dialog.
    tell(error) {
      for (const [name, field] of Object.entries(FIELDS)) {
        const words = error.field ? error.field(name) : '';
        if (words) this.faults[field] = words;
      }
      const beside = Object.values(this.faults).some(Boolean);
      this.inTheWay = error.holders || [];
      this.reserveRefusal = beside ? error.title + (this.inTheWay.length > 1 ? '. In the way, the first of them:' : '.') : error.title + ': ' + error.text;
    },
  };
}

// request turns what was typed into what the server is asked: a block is a size to be placed, or else a CIDR.
function request({ pool, block, name, reason, owner, until }) {
  const body = { pool: pool.trim(), reason: reason.trim() };
  const size = /^\/?(\d{1,3})$/.exec(block.trim());
  if (size) body.prefix_length = Number(size[1]); else body.cidr = block.trim();
  if (name.trim()) body.name = name.trim();
  if (owner.trim()) body.owner = owner.trim();
  if (until) body.expires_at = new Date(until).toISOString();
  return body;
}
