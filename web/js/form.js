// The one dialog that asks for what a change needs: fields, the server's preview, the Terraform code for it, and refusals at the
// field that they are about. A page opens it with ask().
import { idempotencyKey } from './api.js';
import { bodyOf, fieldOf } from './form-fields.js';
import { note } from './toasts.js';

// ask opens the form. A spec has title, fields (see form-fields.js), word, and send(body, key), which asks the server; perhaps lead,
// danger, fixed (what the body has besides), edit (the body has only what was changed), preview, terraform(values), reread (after
// somebody else's change), told(result), done(result), and secret(result): what is shown this once.
export function ask(spec) { dispatchEvent(new CustomEvent('ask', { detail: spec })); }

export function asking() {
  let spec = { fields: [] };
  // One key for one wish: pressing the button again after a lost answer repeats the request, and another wish is a new one.
  let key = '';
  let asked = '';

  return {
    title: '', lead: '', word: '', danger: false, fields: [], sending: false, refusal: '', inTheWay: [], preview: '', previewFault: '', previewWord: '', secret: '', hasTerraform: false,

    get plain() { return this.fields.filter((f) => !f.more); },
    get extra() { return this.fields.filter((f) => f.more); },
    get sendLabel() { return this.sending ? 'Asking…' : this.word; },
    get keepLabel() { return this.secret ? 'Done' : this.danger ? 'Keep it' : 'Cancel'; },
    get terraform() { return this.hasTerraform ? spec.terraform(this.values()) : ''; },

    ask(next) {
      spec = next;
      asked = '';
      Object.assign(this, {
        title: spec.title, lead: spec.lead || '', word: spec.word, danger: Boolean(spec.danger), fields: spec.fields.map(fieldOf), sending: false, secret: '',
        preview: '', previewFault: '', previewWord: spec.preview ? spec.preview.word : '', hasTerraform: Boolean(spec.terraform),
      });
      this.forgive();
      if (!this.$refs.form.open) this.$refs.form.showModal();
      this.$nextTick(() => {
        const first = this.$refs.form.querySelector(this.danger ? '[data-keep]' : '.in:not([data-filled])') || this.$refs.form.querySelector('[data-send]');
        first.focus();
      });
    },

    values() { return Object.fromEntries(this.fields.map((f) => [f.name, f.value])); },

    leave() { this.$refs.form.close(); },

    left() { if (spec.preview && spec.preview.leave) spec.preview.leave(); },

    forgive() {
      for (const field of this.fields) field.fault = '';
      this.refusal = '';
      this.inTheWay = [];
    },

    // changed forgets a preview of other values, and asks for a fresh one where that costs nothing.
    changed() {
      this.preview = this.previewFault = '';
      if (spec.preview && spec.preview.auto) this.showPreview();
    },

    async showPreview() {
      this.forgive();
      this.preview = this.previewFault = '';
      const body = bodyOf(this.fields, spec);
      try {
        const words = await spec.preview.run(body);
        if (JSON.stringify(bodyOf(this.fields, spec)) === JSON.stringify(body)) this.preview = words;
      } catch (error) {
        if (!this.blame(error)) this.previewFault = error.title + ': ' + error.text;
      }
    },

    async send() {
      this.forgive();
      const body = bodyOf(this.fields, spec);
      if (asked !== JSON.stringify(body)) {
        asked = JSON.stringify(body);
        key = idempotencyKey();
      }
      this.sending = true;
      let result;
      try {
        result = await spec.send(body, key);
      } catch (error) {
        await this.tell(error);
        return;
      } finally {
        this.sending = false;
      }
      if (spec.told) note(spec.told(result));
      this.secret = spec.secret ? spec.secret(result) : '';
      if (!this.secret) this.leave();
      if (spec.done) await spec.done(result);
    },

    // tell says why it was refused. What somebody changed meanwhile is read again, so that the same button decides with that in sight.
    async tell(error) {
      if (error.status === 412 && spec.reread) {
        try {
          await spec.reread();
          asked = '';
          this.refusal = 'Somebody has changed this meanwhile. What you changed is still to be sent: press the button again to go on.';
        } catch (lost) {
          this.refusal = lost.title + ': ' + lost.text;
        }
        return;
      }
      this.inTheWay = error.holders || [];
      const beside = this.blame(error);
      this.refusal = beside ? error.title + '.' : (error.title || 'Something went wrong in the page') + ': ' + (error.text || error.message);
    },

    // blame puts what the server says beside the fields that it is about, and reports whether it said such a thing.
    blame(error) {
      let found = false;
      for (const field of this.fields) {
        field.fault = field.names.map((name) => (error.field ? error.field(name) : '')).find(Boolean) || '';
        found = found || field.fault !== '';
      }
      return found;
    },
  };
}
