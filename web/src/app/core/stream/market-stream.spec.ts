import { TestBed } from '@angular/core/testing';

import { FAKE_SOCKET, FakeSocket } from '../../../testing/fake-socket';
import { MarketStream, WEB_SOCKET } from './market-stream';

describe('MarketStream', () => {
  beforeEach(() => {
    FakeSocket.reset();
    TestBed.configureTestingModule({ providers: [{ provide: WEB_SOCKET, useValue: FAKE_SOCKET }] });
  });

  it('opens bars of all symbols beside the page, from where the snapshots end', () => {
    const { socket } = TestBed.inject(MarketStream).bars([{ 'stock-data': { '0': 3 } }]);
    const subscription = socket.messages.subscribe();
    FakeSocket.last.accept();
    const url = new URL(FakeSocket.last.url);
    expect([url.protocol, url.host, url.pathname, url.search]).toEqual(['ws:', location.host, '/live', '']);
    expect(FakeSocket.last.sent).toMatchObject([{ type: 'resume', positions: { 'stock-data': { '0': 2 } } }]);
    subscription.unsubscribe();
  });

  it('opens forecasts of one symbol with champion and shadows', () => {
    const subscription = TestBed.inject(MarketStream).forecasts('BRK.B', []).socket.messages.subscribe();
    const url = new URL(FakeSocket.last.url);
    expect(url.pathname).toBe('/forecast');
    expect(url.searchParams.get('symbols')).toBe('BRK.B');
    expect(url.searchParams.get('roles')).toBe('CHAMPION,SHADOW');
    subscription.unsubscribe();
  });
});
