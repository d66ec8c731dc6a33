import { DOCUMENT, effect, inject, Injectable, InjectionToken, signal } from '@angular/core';

export type ThemeName = 'dark' | 'light';

/** The browser's storage; null where it is switched off. */
export const STORAGE = new InjectionToken<Storage | null>('Storage', {
  providedIn: 'root',
  factory: () => {
    try {
      return window.localStorage;
    } catch {
      // Reading the property itself throws where site data is blocked: the theme is then not remembered.
      return null;
    }
  },
});

const KEY = 'foretick.theme';

/** Dark or light: the remembered choice, else the system's. `public/theme.js` sets the same before the first paint. */
@Injectable({ providedIn: 'root' })
export class Theme {
  private readonly root = inject(DOCUMENT).documentElement;
  private readonly storage = inject(STORAGE);
  private readonly chosen = signal<ThemeName>(this.first());

  readonly name = this.chosen.asReadonly();

  constructor() {
    effect(() => {
      this.root.dataset['theme'] = this.chosen();
    });
  }

  toggle(): void {
    this.chosen.update((name) => (name === 'dark' ? 'light' : 'dark'));
    this.storage?.setItem(KEY, this.chosen());
  }

  private first(): ThemeName {
    const remembered = this.storage?.getItem(KEY);
    if (remembered === 'dark' || remembered === 'light') return remembered;
    return this.root.dataset['theme'] === 'light' ? 'light' : 'dark';
  }
}
