import { forecast } from '../../../testing/samples';
import { roleName, spokenChampion, underChampion } from './champions';
import { currentFans, fanOf } from '../forecasts/forecasts';

const arima = { version: '4', family: 'arima', role: 'CHAMPION' } as const;
const lstm = { version: '2', family: 'lstm', role: 'SHADOW' } as const;
const told = (champion: string | null, ...fans: Parameters<typeof forecast>[]) =>
  underChampion(fans.map((each) => fanOf(forecast(...each))), champion).map(({ version, role }) => [version, role]);

describe('underChampion', () => {
  it('goes by the registry, not by what forecasts said when they were made', () => {
    expect(told('2', [3, arima], [3, lstm])).toEqual([['4', 'SHADOW'], ['2', 'CHAMPION']]);
  });

  it('lets the one before stand in while a champion promoted just now has not spoken', () => {
    expect(told('9', [3, arima], [3, lstm])).toEqual([['4', 'FORMER'], ['2', 'SHADOW']]);
  });

  it('believes the newest that calls itself champion while no alias is heard of', () => {
    expect(told(null, [3, arima], [4, { ...lstm, role: 'CHAMPION' }])).toEqual([['4', 'SHADOW'], ['2', 'CHAMPION']]);
  });
});

describe('currentFans', () => {
  it('puts the champion of the registry first and lets go of a stand-in whose family has a newer version', () => {
    const later = { ...arima, version: '14', role: 'SHADOW' } as const;
    const fans = currentFans([forecast(3, arima), forecast(3, lstm), forecast(3, later)], '2');
    expect(fans.map(({ version, role }) => [version, role])).toEqual([['2', 'CHAMPION'], ['14', 'SHADOW']]);
  });
});

describe('the words of roles', () => {
  it('name each part, the random walk as the baseline', () => {
    const names = (['CHAMPION', 'FORMER', 'CHALLENGER', 'SHADOW', 'REQUESTED'] as const).map((role) => roleName({ role, family: 'arima' }));
    expect(names).toEqual(['champion', 'former champion', 'challenger', 'shadow', 'requested']);
    expect(roleName({ role: 'SHADOW', family: 'naive' })).toBe('baseline');
    expect(spokenChampion([])).toBeNull();
  });
});
