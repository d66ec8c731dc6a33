const NAMES: Readonly<Record<string, string>> = {
  naive: 'Random walk',
  arima: 'ARIMA',
  lstm: 'LSTM',
  transformer: 'Transformer',
  ensemble: 'Ensemble',
};

/** The family no forecast is shown without. */
export const NAIVE = 'naive';

/** A model family's name for people. */
export function familyName(family: string): string {
  return NAMES[family] ?? family;
}
