// Pictures of numbers as SVG of our own: stacked bars and rings. They are for eyes and pointers, whose every mark is a link; the table
// beside each says the same to everybody, so that screen readers and the tab key pass the picture over.
const SVG = 'http://www.w3.org/2000/svg';

// THINNEST is the least width that can still be seen, in thousandths of a bar.
const THINNEST = 4;

const drawn = new WeakMap();

// drawStack draws marks of {kind, share, href, title} from left to right. What they leave is the background of the bar.
export function drawStack(svg, marks) {
  if (drawn.get(svg) === marks) return;
  drawn.set(svg, marks);
  let x = 0;
  svg.replaceChildren(...marks.map((mark) => {
    const width = Math.min(1000 - x, Math.max(THINNEST, mark.share * 1000));
    const rect = made('rect', { x, y: 0, width: Math.max(0, width), height: 14, class: mark.kind });
    x += width;
    return linked(mark, rect);
  }));
}

// drawRing draws marks of {kind, share, href, title} clockwise, from the top.
export function drawRing(svg, marks) {
  if (drawn.get(svg) === marks) return;
  drawn.set(svg, marks);
  const round = 2 * Math.PI * 40;
  let at = 0;
  svg.replaceChildren(...marks.map((mark) => {
    const arc = made('circle', { cx: 60, cy: 60, r: 40, class: 'arc ' + mark.kind, 'stroke-dasharray': Math.max(0, mark.share * round - .6) + ' ' + round, transform: 'rotate(' + (at * 360 - 90) + ' 60 60)' });
    at += mark.share;
    return linked(mark, arc);
  }));
}

function linked(mark, shape) {
  const title = made('title', {});
  title.textContent = mark.title;
  if (!mark.href) {
    shape.append(title);
    return shape;
  }
  const link = made('a', { href: mark.href, tabindex: -1 });
  link.append(title, shape);
  return link;
}

function made(tag, attributes) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}
