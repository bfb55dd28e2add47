// The form that gives a pool another name, and the request.
import { change, get, idempotencyKey } from './api.js';
import { note } from './toasts.js';

// renaming is the part of a page's component that renames. Its dialog is $refs.rename; subject is the pool that is chosen,
// done gets it under its new name.
export function renaming({ subject, done }) {
  let pool = null;
  // One key for one wish: pressing Rename again after a lost answer repeats the request, and another wish is a new one.
  let key = '';
  let asked = '';

  return {
    newName: '', oldName: '', nameFault: '', renameRefusal: '', renaming: false,

    askRename() {
      pool = subject();
      asked = '';
      this.newName = this.oldName = pool.name;
      this.nameFault = this.renameRefusal = '';
      this.$refs.rename.showModal();
      this.$nextTick(() => this.$refs.newName.select());
    },

    leaveRename() { this.$refs.rename.close(); },

    async rename() {
      const name = this.newName.trim();
      this.nameFault = this.renameRefusal = '';
      if (name === pool.name) {
        this.leaveRename();
        return;
      }
      if (asked !== name) {
        asked = name;
        key = idempotencyKey();
      }
      this.renaming = true;
      let renamed;
      try {
        renamed = await change(['pools', pool.uid], { name }, pool, key);
      } catch (error) {
        await this.tellRename(error);
        return;
      } finally {
        this.renaming = false;
      }
      this.$refs.rename.close();
      note('Renamed ' + pool.name + ' to ' + renamed.name);
      await done.call(this, renamed);
    },

    // tellRename puts a refusal next to the field that it is about, else below the form. What somebody changed meanwhile is
    // read again, so that the same button decides with that in sight.
    async tellRename(error) {
      if (error.status === 412) {
        try {
          pool = await get(['pools', pool.uid]);
        } catch (lost) {
          this.renameRefusal = lost.title + ': ' + lost.text;
          return;
        }
        asked = '';
        this.oldName = pool.name;
        this.renameRefusal = 'Somebody has changed this pool meanwhile. Its name is ' + pool.name + ' now. Rename it again to go on.';
        return;
      }
      this.nameFault = error.field ? error.field('name') : '';
      if (!this.nameFault) this.renameRefusal = error.title + ': ' + error.text;
    },
  };
}
