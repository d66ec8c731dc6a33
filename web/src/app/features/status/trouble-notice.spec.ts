import { type ComponentFixture, TestBed } from '@angular/core/testing';
import { HttpErrorResponse } from '@angular/common/http';
import { NEVER } from 'rxjs';

import { LoadNote } from '../../ui/load-note';
import { Api } from '../../core/api/api';
import { EMPTY_LOAD, failed, type LoadState, LOADING } from '../../core/api/load-state';
import { problemOf } from '../../core/api/problems';
import { Troubles } from '../../core/api/troubles';
import { TroubleNotice } from './trouble-notice';

const away = problemOf(new HttpErrorResponse({ status: 0 }));
const part = problemOf(new HttpErrorResponse({ status: 503, error: { detail: 'MongoDB is away' } }));

const textOf = (fixture: ComponentFixture<unknown>) => {
  fixture.detectChanges();
  return (fixture.nativeElement as HTMLElement).textContent.replace(/\s+/g, ' ').trim();
};

describe('troubles', () => {
  let troubles: Troubles;

  beforeEach(() => {
    vi.useFakeTimers();
    TestBed.configureTestingModule({ providers: [{ provide: Api, useValue: { pipeline: () => NEVER } }] });
    troubles = TestBed.inject(Troubles);
  });

  afterEach(() => {
    TestBed.resetTestingModule();
    vi.useRealTimers();
  });

  it('are one alert, the gravest, with a countdown to the next try', () => {
    const fixture = TestBed.createComponent(TroubleNotice);
    expect(textOf(fixture)).toBe('');
    troubles.note({ path: 'api/models', problem: part, againAt: Date.now() + 9000 });
    troubles.note({ path: 'api/symbols', problem: away, againAt: Date.now() + 5000 });
    expect(textOf(fixture)).toContain('The gateway cannot be reached');
    expect(textOf(fixture)).toContain('Trying again in 5 s');
    expect((fixture.nativeElement as HTMLElement).querySelectorAll('[role=alert]')).toHaveLength(1);
    vi.advanceTimersByTime(2000);
    expect(textOf(fixture)).toContain('Trying again in 3 s');
    troubles.answered('api/symbols');
    expect(textOf(fixture)).toContain('MongoDB is away');
    troubles.answered('api/models');
    expect(textOf(fixture)).toBe('');
  });
});

describe('what stands in place of what is not there', () => {
  function told(load: LoadState, trouble: boolean): string {
    const fixture = TestBed.createComponent(LoadNote);
    if (trouble) TestBed.inject(Troubles).note({ path: 'api/leaderboard', problem: away, againAt: null });
    fixture.componentRef.setInput('load', load);
    fixture.componentRef.setInput('what', 'Standings');
    fixture.componentRef.setInput('path', 'api/leaderboard');
    return textOf(fixture);
  }

  it('is three things: being read, not readable, and none', () => {
    expect(told(LOADING, false)).toBe('Reading standings …');
    expect(told(LOADING, true)).toBe('Standings could not be read: the gateway cannot be reached.');
    expect(told(EMPTY_LOAD, false)).not.toContain('Reading');
  });

  it('tells what concerns it alone itself, and is no alert', () => {
    const missing = problemOf(new HttpErrorResponse({ status: 404, error: { detail: 'no such symbol' } }));
    expect(told(failed(missing), false)).toContain('no such symbol');
    expect(document.querySelectorAll('[role=alert]')).toHaveLength(0);
  });
});
