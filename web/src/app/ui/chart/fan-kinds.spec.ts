import { forecast } from '../../../testing/samples';
import { fanOf } from '../../core/forecasts/forecasts';
import { DASHES, kindOf, KINDS } from './fan-kinds';
import { PALETTES } from './palettes';

const fan = fanOf(forecast(3));

describe('kindOf', () => {
  it('tells the champion, requests and each family apart', () => {
    expect(kindOf({ ...fan, role: 'SHADOW', family: 'naive' })).toBe('naive');
    expect(kindOf({ ...fan, role: 'CHAMPION', family: 'naive' })).toBe('champion');
    expect(kindOf({ ...fan, role: 'SHADOW' })).toBe('arima');
    expect(kindOf({ ...fan, role: 'CHALLENGER', family: 'lstm' })).toBe('lstm');
    expect(kindOf({ ...fan, role: 'FORMER' })).toBe('arima');
    expect(kindOf({ ...fan, role: 'REQUESTED' })).toBe('requested');
    expect(kindOf({ ...fan, role: 'SHADOW', family: 'tree' })).toBe('other');
  });
});

describe('the look of fans', () => {
  it.each(['dark', 'light'] as const)('has no two kinds with one dash or one colour in the %s theme', (theme) => {
    expect(new Set(KINDS.map((kind) => DASHES[kind].join(' '))).size).toBe(KINDS.length);
    expect(new Set(KINDS.map((kind) => PALETTES[theme].fans[kind])).size).toBe(KINDS.length);
  });
});
