// The drawer of a list, with the details of one row, and the row that it belongs to.
import { Problem, get } from './api.js';
import { followLink } from './keys.js';
import { report } from './toasts.js';

// listDrawer is a part of a list's component; see listing.js.
export function listDrawer({ resource, one, details, listed }) {
  return {
    async read(id) {
      if (!listed) return get([resource, id]);
      if (this.itemOf(id)) return this.itemOf(id);
      throw new Problem(404, { title: 'Not in this list', detail: 'What the address names is not among the rows that these filters leave.' });
    },

    async open(id) {
      try {
        this.detail = details(await this.read(id), this);
      } catch (error) {
        report(error);
        return;
      }
      this.focused = id;
      this.shown = id;
      this.remember();
      if (!this.$refs.drawer.open) this.$refs.drawer.showModal();
    },

    // lookAtOpen shows what became of what is open, where nobody is asked anything about it. What is gone stays, and says so.
    async lookAtOpen() {
      const id = this.shown;
      try {
        const fresh = details(await this.read(id), this);
        if (this.shown === id) this.detail = fresh;
      } catch {
        this.news += '. What is open here is not in the list any more';
      }
    },

    // refresh asks again for one row that has just been changed.
    async refresh(id) {
      this.put(this.take(await this.read(id)));
    },

    // refreshAll asks again for the rows, and for what is open.
    async refreshAll() {
      await this.load();
      if (this.shown) await this.open(this.shown);
    },

    // followLink opens a row in place, and leaves a modified click to the browser, which opens it beside.
    followLink(event) { followLink(event); },

    closeDrawer() { this.$refs.drawer.close(); },

    closed() {
      this.shown = '';
      this.remember();
      const at = document.querySelector('[data-' + one + '="' + CSS.escape(this.focused) + '"]');
      // The rows of a page that has just been opened are shown with the next frame, and what is hidden takes no focus.
      if (at) requestAnimationFrame(() => at.focus());
    },
  };
}
