import { TestBed } from '@angular/core/testing';

import { STORAGE, Theme } from './theme';

describe('Theme', () => {
  const remembered = new Map<string, string>();
  const storage = {
    getItem: (key: string) => remembered.get(key) ?? null,
    setItem: (key: string, value: string) => remembered.set(key, value),
  };

  beforeEach(() => {
    remembered.clear();
    delete document.documentElement.dataset['theme'];
    TestBed.configureTestingModule({ providers: [{ provide: STORAGE, useValue: storage }] });
  });

  it('follows what the page began with, dark by default', () => {
    expect(TestBed.inject(Theme).name()).toBe('dark');
  });

  it('remembers the choice and dresses the page', () => {
    const theme = TestBed.inject(Theme);
    theme.toggle();
    TestBed.tick();
    expect(remembered.get('foretick.theme')).toBe('light');
    expect(document.documentElement.dataset['theme']).toBe('light');
  });

  it('takes up what was remembered', () => {
    remembered.set('foretick.theme', 'light');
    expect(TestBed.inject(Theme).name()).toBe('light');
  });
});
