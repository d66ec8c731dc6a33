import { HttpErrorResponse } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { type Observable, of, throwError } from 'rxjs';

import { Api } from '../../core/api/api';
import type { Caller } from '../../core/api/api-types';
import { SignOut } from './sign-out';

const ALICE: Caller = { name: 'alice', kind: 'token', scopes: ['read'], session: true };

function shown(caller: Observable<Caller>): HTMLElement {
  TestBed.configureTestingModule({ providers: [{ provide: Api, useValue: { caller: () => caller } }] });
  const fixture = TestBed.createComponent(SignOut);
  fixture.detectChanges();
  return fixture.nativeElement as HTMLElement;
}

describe('SignOut', () => {
  it('names who has signed in, and posts to the way out', () => {
    const page = shown(of(ALICE));
    expect(page.textContent).toContain('alice');
    const form = page.querySelector<HTMLFormElement>('form');
    expect([form?.method, form?.getAttribute('action')]).toEqual(['post', '/sign-out']);
    expect(form?.querySelector('button')?.textContent.trim()).toBe('Sign out');
  });

  it('shows nothing where nobody has signed in, or nobody can tell', () => {
    expect(shown(of({ ...ALICE, session: false })).textContent).toBe('');
    TestBed.resetTestingModule();
    expect(shown(throwError(() => new HttpErrorResponse({ status: 401 }))).textContent).toBe('');
  });
});
