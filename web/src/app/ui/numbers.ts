/** Figures as people read them; a missing one is an en dash, a negative one has a true minus sign. */

const PRICE = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const SMALL_PRICE = new Intl.NumberFormat('en-US', { minimumFractionDigits: 4, maximumFractionDigits: 4 });
const COMPACT = new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 });
const COUNT = new Intl.NumberFormat('en-US');
const NONE = '–';

export function price(value: number | null | undefined): string {
  if (value == null) return NONE;
  return minus((Math.abs(value) < 1 ? SMALL_PRICE : PRICE).format(value));
}

/** A fraction as a percentage. */
export function percent(value: number | null | undefined, digits = 1): string {
  return value == null ? NONE : `${minus((100 * value).toFixed(digits))} %`;
}

/** A fraction as a percentage that always carries its sign. */
export function change(value: number | null | undefined, digits = 2): string {
  if (value == null) return NONE;
  const written = percent(value, digits);
  return Number((100 * value).toFixed(digits)) > 0 ? `+${written}` : written;
}

export function volume(value: number | null | undefined): string {
  return value == null ? NONE : COMPACT.format(value);
}

export function count(value: number | null | undefined): string {
  return value == null ? NONE : COUNT.format(value);
}

export function decimal(value: number | null | undefined, digits = 3): string {
  return value == null ? NONE : minus(value.toFixed(digits));
}

function minus(text: string): string {
  return /^-[0.,]*$/.test(text) ? text.slice(1) : text.replace('-', '\u2212');
}
