// The pairs of a definition list: what is known of one object.

// WHOLE are facts that break into lines where they are long, so that somewhere all of them can be read and copied.
const WHOLE = ['Name', 'Id'];

// facts leaves out what has no value. all is a list of [name, value, mono, figure]: figure says that it was counted. A single word keeps
// to one line.
export function facts(all) {
  return all.filter(([, value]) => value).map(([name, value, mono, figure]) => {
    const line = !WHOLE.includes(name) && !value.includes(' ');
    return { name, value, figure: figure ? name : null, class: { mono: Boolean(mono), line } };
  });
}
