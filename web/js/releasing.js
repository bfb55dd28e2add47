// The question before something is given up. Nothing happens until it is confirmed.
import { idempotencyKey } from './api.js';
import { note } from './toasts.js';

// releasing is the part of a page's component that asks and releases. Its dialog is $refs.confirm. give asks the API, told is
// what the person reads was released; done runs afterwards.
export function releasing({ give, told, done }) {
  // One key for one intent: pressing Release again after a lost answer repeats the request instead of making another.
  let key = '';

  return {
    releasing: false, refusal: '',

    askRelease() {
      key = idempotencyKey();
      this.refusal = '';
      this.$refs.confirm.showModal();
    },

    keep() { this.$refs.confirm.close(); },

    async release() {
      const words = told.call(this);
      this.releasing = true;
      this.refusal = '';
      try {
        await give.call(this, key);
      } catch (error) {
        // A toast would stand behind the dialog, out of reach.
        this.refusal = error.title + ': ' + error.text;
        return;
      } finally {
        this.releasing = false;
      }
      this.$refs.confirm.close();
      note(words);
      await done.call(this);
    },
  };
}
