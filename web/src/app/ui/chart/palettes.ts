import type { ThemeName } from '../../core/state/theme';
import type { FanKind } from './fan-kinds';

export interface ChartPalette {
  readonly background: string;
  readonly text: string;
  readonly grid: string;
  readonly crosshair: string;
  readonly label: string;
  readonly up: string;
  readonly down: string;
  readonly upVolume: string;
  readonly downVolume: string;
  readonly marker: string;
  /** Prices drawn as a line, and what they are compared with. */
  readonly line: string;
  readonly comparison: string;
  readonly fans: Readonly<Record<FanKind, string>>;
}

/** Okabe and Ito's colours (2008), told apart by every kind of colour vision; darkened where a white ground needs it. */
export const PALETTES: Readonly<Record<ThemeName, ChartPalette>> = {
  dark: {
    background: '#0d1117',
    text: '#98a3b3',
    grid: '#1a212b',
    crosshair: '#5b6675',
    label: '#2a3340',
    up: '#1fa784',
    down: '#e0703a',
    upVolume: '#1fa78466',
    downVolume: '#e0703a66',
    marker: '#98a3b3',
    line: '#d7dee8',
    comparison: '#f0e442',
    fans: {
      champion: '#56b4e9',
      requested: '#f0e442',
      naive: '#e69f00',
      arima: '#cc79a7',
      lstm: '#a78bfa',
      transformer: '#c3ccd8',
      ensemble: '#b5ad45',
      other: '#8a94a3',
    },
  },
  light: {
    background: '#ffffff',
    text: '#566070',
    grid: '#eef1f4',
    crosshair: '#9aa4b1',
    label: '#4a5563',
    up: '#00876a',
    down: '#d55e00',
    upVolume: '#00876a4d',
    downVolume: '#d55e004d',
    marker: '#566070',
    line: '#1f2630',
    comparison: '#a35200',
    fans: {
      champion: '#0072b2',
      requested: '#3f3f46',
      naive: '#c27f00',
      arima: '#b2568c',
      lstm: '#6a45c9',
      transformer: '#5a6472',
      ensemble: '#77701a',
      other: '#808893',
    },
  },
};
