// Copying works over plain HTTP too, where browsers withhold navigator.clipboard.
import { note } from './toasts.js';

export async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text);
  }
  note('Copied ' + (text.length > 40 || text.includes('\n') ? 'to the clipboard' : text));
}

function copyBySelection(text) {
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'sr';
  // Inside an open dialog the rest of the page is inert and cannot be selected.
  const home = document.querySelector('dialog[open]') || document.body;
  home.append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}

// copyable is a block with x-ref="text" and a button that copies it.
export function copyable() {
  return {
    label: 'Copy',
    async copy() {
      await copyText(this.$refs.text.textContent);
      this.label = 'Copied';
      setTimeout(() => { this.label = 'Copy'; }, 1500);
    },
  };
}
