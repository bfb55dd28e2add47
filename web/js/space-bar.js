// The space bar of one row: what occupies a pool, left to right. Drawn by hand, since a template inside <svg> renders nothing.
const SVG = 'http://www.w3.org/2000/svg';

// Kinds differ in height as well as in colour: child pools fill the bar, allocations leave a margin, promises are thin.
const SHAPE = { pool: [0, 14], allocation: [2, 10], reservation: [4, 6], hold: [6, 3], quarantine: [3, 8] };

// THINNEST is the least width that can still be seen, in thousandths of the bar.
const THINNEST = 5;

const drawn = new WeakMap();

export function drawBar(svg, node) {
  if (drawn.get(svg) === node) return;
  drawn.set(svg, node);
  svg.replaceChildren(...node.space_bar.map((segment) => {
    const rect = document.createElementNS(SVG, 'rect');
    const [y, height] = SHAPE[segment.kind] || SHAPE.allocation;
    const width = Math.max(THINNEST, (segment.end - segment.start) * 1000);
    rect.setAttribute('x', Math.min(1000 - width, segment.start * 1000));
    rect.setAttribute('width', width);
    rect.setAttribute('y', y);
    rect.setAttribute('height', height);
    rect.setAttribute('class', 'k-' + segment.kind);
    return rect;
  }));
}
