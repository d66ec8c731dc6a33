/**
 * An SVG path through `values`, evenly spaced over `width` and scaled to `height` (y grows downwards);
 * empty for fewer than two. A flat line runs through the middle.
 */
export function sparkline(values: readonly number[], width: number, height: number): string {
  if (values.length < 2) return '';
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const span = high - low;
  return values
    .map((value, at) => {
      const x = (at / (values.length - 1)) * width;
      const y = span === 0 ? height / 2 : height - ((value - low) / span) * height;
      return `${at === 0 ? 'M' : 'L'}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join('');
}
