// The history of one object, asked for when somebody opens it.
import { get } from './api.js';
import { diff } from './diff.js';
import { moment } from './format.js';
import { part, read } from './parts.js';

const LATEST = 20;

export function history() {
  let object = '';

  return {
    part: part(), turns: [], href: '',

    // about turns to another object. What was shown of the one before goes with it.
    about(id) {
      if (id === object) return;
      object = id;
      this.turns = [];
      this.href = id ? '/audit?object=' + encodeURIComponent(id) : '';
      if (this.$refs.history.open) this.read();
    },

    opened(event) { if (event.target.open && object) this.read(); },

    read() {
      const asked = object;
      return read(this.part, () => get(['events'], { object, limit: LATEST }), (page) => {
        if (asked !== object) return;
        this.turns = page.items.map((e) => ({
          id: e.id, action: e.action, actor: e.actor, at: moment(e.at), href: '/audit?' + new URLSearchParams({ object, event: e.id }),
          what: diff(e.before, e.after).map((line) => line.name + ': ' + (line.before || '∅') + ' → ' + (line.after || '∅')).slice(0, 8).join('\n'),
        }));
      });
    },
  };
}
