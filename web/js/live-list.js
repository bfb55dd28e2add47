// A list that changes in place: rows come, go and change while whoever reads it keeps the place, with what is chosen, focused and open.
import { all } from './api.js';
import { plural } from './format.js';
import { calmly, difference } from './live.js';
import { report } from './toasts.js';

// MOST is how many rows are read anew by themselves. Where more are loaded, it is said that there are changes, and how many.
const MOST = 1000;

// OTHERS are the kinds of objects that change a list besides the kind that is its own; null is all of them.
const OTHERS = { drifts: null, events: null, quarantines: ['allocation'], holds: ['allocation', 'pool'], approvals: ['approval'], 'allocation-sets': ['allocation'], observations: ['account'] };

// liveList is a part of a list's component. resource is what it lists, counts says that the API can tell how many there are, and least is
// how many rows are asked for at least.
export function liveList({ resource, counts, least }) {
  const own = resource.replace('-', '_').replace(/s$/, '');
  const others = OTHERS[resource];
  const concerns = (kind) => others === null || kind === own || (others || []).includes(kind);
  let run;
  let heard = 0; // changes since the rows were read: NaN where nobody knows how many

  return {
    news: '', behind: '',

    // happened is told what kinds of objects have changed.
    happened({ anything, kinds }) {
      heard += anything ? NaN : kinds.filter(concerns).length;
      if (heard === 0) return;
      run = run || calmly(() => this.look());
      run();
    },

    // upToDate forgets what was heard of so far: all rows are asked for now.
    upToDate() {
      heard = 0;
      this.behind = '';
    },

    // look reads the rows anew, where that is little, and else says that they are not as they were. What fails is left as it was.
    async look() {
      if (heard === 0 || this.busy || !this.asked() || this.state === 'wrong') return;
      if (this.knownRows() > MOST) {
        this.behind = (heard > 0 ? plural(heard, 'change') : 'Changes') + ': show';
        return;
      }
      try {
        await this.readAnew();
      } catch {
        // the next change asks again
      }
    },

    // showChanges reads all rows anew that were loaded, however many, because somebody asked for it.
    async showChanges() {
      try {
        await this.readAnew();
      } catch (error) {
        report(error, 'The changes could not be loaded');
      }
    },

    // readAnew reads the rows that are known, by the question that was asked last; of a list that was read to its end, what came too.
    async readAnew() {
      const asked = this.asked();
      const known = heard;
      const most = this.knownRows() + (this.next ? 0 : known || 0);
      heard = 0;
      const page = await all([resource], { ...asked.query, count: counts }, Math.max(least, most)).catch((error) => {
        heard += known;
        throw error;
      });
      if (asked !== this.asked()) return; // something else was asked for meanwhile
      if (this.busy) {
        heard += known; // the next rows are on their way, and belong to those that are known
        return;
      }
      const texts = () => new Map(this.itemIds().map((id) => [id, JSON.stringify(this.itemOf(id))]));
      const was = texts();
      [this.news, this.behind] = ['', ''];
      this.renew(page);
      const now = texts();
      const words = difference(was, now);
      if (!words) return;
      this.news = 'The list has changed: ' + words;
      if (this.shown && was.get(this.shown) !== now.get(this.shown)) await this.lookAtOpen();
    },
  };
}
