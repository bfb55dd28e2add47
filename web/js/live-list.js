// A list that changes in place: rows come, go and change while whoever reads it keeps the place, with what is chosen, focused and open.
import { get } from './api.js';
import { calmly } from './live.js';

// MOST is how many rows are read anew. Who has scrolled further has to ask.
const MOST = 1000;

// OTHERS are the kinds of objects that change a list besides the kind that is its own; null is all of them.
const OTHERS = { drifts: null, events: null, quarantines: ['allocation'], holds: ['allocation', 'pool'], approvals: ['approval'], 'allocation-sets': ['allocation'], observations: ['account'] };

// liveList is a part of a list's component. resource is what it lists; apply takes the answers and says what became of the rows.
export function liveList({ resource, counts, least }) {
  const own = resource.replace('-', '_').replace(/s$/, '');
  let run;

  return {
    news: '',

    // happened is told what kinds of objects have changed.
    happened({ anything, kinds }) {
      const others = OTHERS[resource];
      if (!anything && others !== null && !kinds.some((kind) => kind === own || (others || []).includes(kind))) return;
      run = run || calmly(() => this.look());
      run();
    },

    // look reads the rows anew that are known, by the question that was asked last. What fails is left as it was.
    async look() {
      const asked = this.asked();
      if (this.busy || !asked || this.knownRows() > MOST || this.state === 'wrong') return;
      try {
        const page = await get([resource], { ...asked.query, limit: Math.max(least, this.knownRows()), count: counts });
        if (asked !== this.asked() || this.busy) return; // something else was asked for meanwhile
        const was = new Map(this.itemIds().map((id) => [id, JSON.stringify(this.itemOf(id))]));
        this.news = '';
        this.renew(page);
        const ids = this.itemIds();
        const come = ids.filter((id) => !was.has(id)).length;
        const changed = ids.filter((id) => was.has(id) && was.get(id) !== JSON.stringify(this.itemOf(id))).length;
        const gone = [...was.keys()].filter((id) => !this.itemOf(id)).length;
        const words = [[come, 'new'], [changed, 'changed'], [gone, 'gone']].filter(([n]) => n).map(([n, word]) => n + ' ' + word);
        if (!words.length) return;
        this.news = 'The list has changed: ' + words.join(', ');
        if (this.shown && was.get(this.shown) !== JSON.stringify(this.itemOf(this.shown))) await this.lookAtOpen();
      } catch {
        // the next change asks again
      }
    },
  };
}
