// The pairs of a definition list: what is known of one object.

// WHOLE are facts that break into lines where they are long, so that somewhere all of them can be read and copied.
const WHOLE = ['Name', 'Id'];

// facts leaves out what has no value. all is a list of [name, value, mono]. A single word keeps to one line.
export function facts(all) {
  return all.filter(([, value]) => value).map(([name, value, mono]) => {
    const line = !WHOLE.includes(name) && !value.includes(' ');
    return { name, value, class: { mono: Boolean(mono), line } };
  });
}
