// Who had the addresses of a block at two moments: what came, what left and what changed in between, and by whom.
import { words } from './amounts.js';
import { all, get } from './api.js';
import { start } from './app.js';
import { parse } from './cidr.js';
import { moment, plural } from './format.js';
import { part, read } from './parts.js';
import { linkTo } from './places.js';

// MOST is how many objects of one moment are read.
const MOST = 10000;

// SHOWN is how many differences have a row.
const SHOWN = 1000;

const DAY = 86400000;

function compare() {
  return {
    within: '', scope: '', from: '', to: '', ago: '1', unknown: '', scopes: [], withinFault: '', timeFault: '', asked: false, answer: part(), rows: [], summary: '', complete: true, more: 0,

    get same() { return this.asked && this.answer.state === 'ready' && !this.rows.length; },
    get agoWord() { return this.ago === '0' ? 'now' : plural(Number(this.ago), 'day') + ' ago'; },
    get partly() { return this.asked && this.answer.state === 'ready' && !this.complete; },

    async init() {
      this.restore();
      try {
        this.scopes = (await get(['scopes'], { limit: 1000 })).items.map((scope) => scope.id);
      } catch {
        // Only proposals for the field.
      }
    },

    restore() {
      const query = new URLSearchParams(location.search);
      [this.within, this.scope] = [query.get('within') || '', query.get('scope') || ''];
      this.from = local(query.get('from') || new Date(Date.now() - DAY).toISOString());
      this.to = query.get('to') ? local(query.get('to')) : '';
      this.unknown = [...new Set(query.keys())].filter((name) => !['within', 'scope', 'from', 'to'].includes(name)).join(', ');
      this.asked = false;
      return this.within ? this.ask() : undefined;
    },

    forgetUnknown() {
      this.unknown = '';
      this.remember();
    },

    remember() {
      const address = '/compare' + words({ within: this.within.trim(), scope: this.scope, from: iso(this.from), to: iso(this.to) });
      if (address !== location.pathname + location.search) history.pushState(null, '', address);
    },

    // drag goes so many days back.
    drag() {
      this.from = local(new Date(Date.now() - Number(this.ago) * DAY).toISOString());
      return this.within ? this.compare() : undefined;
    },

    compare() {
      this.remember();
      return this.ask();
    },

    async ask() {
      this.withinFault = parse(this.within) ? '' : 'That is no address and no CIDR, such as 10.1.0.0/16.';
      this.timeFault = iso(this.from) && (!this.to || iso(this.to)) ? '' : 'A date and a time is needed.';
      if (this.withinFault || this.timeFault) return;
      this.asked = true;
      const at = (as_of) => all(['history'], { within: this.within.trim(), scope: this.scope, as_of }, MOST);
      await read(this.answer, () => Promise.all([at(iso(this.from)), at(iso(this.to) || new Date().toISOString())]), ([before, after]) => {
        const told = differences(before.items, after.items);
        this.complete = before.complete && after.complete;
        this.rows = told.rows.slice(0, SHOWN);
        this.more = Math.max(0, told.rows.length - SHOWN);
        this.summary = told.summary;
      });
    },
  };
}

// differences pairs the spans of two moments by their object.
function differences(before, after) {
  const key = (span) => span.kind + ' ' + span.id;
  const was = new Map(before.map((span) => [key(span), span]));
  const is = new Map(after.map((span) => [key(span), span]));
  const facts = (span) => [span.cidr, span.name, span.owner, span.pool || ''].join(' ');
  const rows = [];
  for (const [id, span] of is) {
    const old = was.get(id);
    if (!old) rows.push(row('came', span, span.from, span.cidr, linkTo({ ...span, owner_id: span.id, status: 'allocated' })));
    else if (facts(old) !== facts(span)) rows.push(row('changed', span, span.from, change(old, span), linkTo({ ...span, owner_id: span.id, status: 'allocated' })));
  }
  for (const [id, span] of was) if (!is.has(id)) rows.push(row('left', span, span.until, span.cidr, '/audit?object=' + encodeURIComponent(span.id)));
  const count = (word) => rows.filter((r) => r.word === word).length;
  const stayed = [...is.keys()].filter((id) => was.has(id)).length - count('changed');
  return { rows, summary: [[count('came'), 'came'], [count('left'), 'left'], [count('changed'), 'changed'], [stayed, 'stayed']].map(([n, word]) => n + ' ' + word).join(', ') };
}

function row(word, span, turn, text, href) {
  return Object.freeze({ key: word + span.kind + span.id, word, kind: span.kind, name: span.name, text, owner: span.owner, pool: span.pool || '', href, who: turn ? turn.actor : '', at: turn ? moment(turn.at) : '', event: turn ? '/audit?' + new URLSearchParams({ object: span.id, event: turn.event }) : '' });
}

// change says what is another one now.
function change(old, span) {
  return [['cidr', ''], ['name', ''], ['owner', 'owner '], ['pool', 'in ']].filter(([field]) => (old[field] || '') !== (span[field] || '')).map(([field, word]) => word + (old[field] || '∅') + ' → ' + (span[field] || '∅')).join(', ');
}

// local is what an input of a date and time takes, in the person's time; iso what the API does.
function local(text) {
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? '' : new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 19);
}

function iso(text) {
  const at = new Date(text);
  return text && !Number.isNaN(at.getTime()) ? at.toISOString() : '';
}

start({ compare });
