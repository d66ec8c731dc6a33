import { Positions } from './positions';

const at = (offset: number) => ({ 'stock-data': { '0': offset } });

describe('Positions', () => {
  it('resumes from one less than the next offset of the earliest snapshot', () => {
    const positions = new Positions([at(10), at(7), { 'stock-data': { '1': 3 } }]);
    expect(positions.resume()).toEqual({ type: 'resume', positions: { 'stock-data': { '0': 6, '1': 2 } }, epochs: {} });
  });

  it('admits each offset once', () => {
    const positions = new Positions([at(10)]);
    expect(positions.admit('stock-data', 0, 9)).toBe(false);
    expect(positions.admit('stock-data', 0, 10)).toBe(true);
    expect(positions.admit('stock-data', 0, 10)).toBe(false);
    expect(positions.admit('stock-data', 0, 14)).toBe(true);
    expect(positions.resume().positions).toEqual(at(14));
  });

  it('finds a snapshot complete only from where the stream began', () => {
    const positions = new Positions([at(10)]);
    expect(positions.covers(at(10))).toBe(true);
    expect(positions.covers(at(9))).toBe(false);
    expect(positions.covers({})).toBe(true);
  });

  it('asks for a snapshot beyond a gap', () => {
    const positions = new Positions([at(10)]);
    positions.skip('stock-data', 0, 19);
    expect(positions.covers(at(12))).toBe(false);
    expect(positions.covers(at(20))).toBe(true);
    expect(positions.admit('stock-data', 0, 19)).toBe(false);
    expect(positions.admit('stock-data', 0, 20)).toBe(true);
  });

  it('never goes back at a gap told late', () => {
    const positions = new Positions([at(10)]);
    positions.admit('stock-data', 0, 30);
    positions.skip('stock-data', 0, 20);
    expect(positions.resume().positions).toEqual(at(30));
  });

  it('forgets all offsets when a topic was made again', () => {
    const positions = new Positions([at(10)]);
    expect(positions.adopt({ 'stock-data': 'a' })).toBe(false);
    expect(positions.adopt({ 'stock-data': 'a' })).toBe(false);
    expect(positions.adopt({ 'stock-data': 'b' })).toBe(true);
    expect(positions.resume()).toEqual({ type: 'resume', positions: {}, epochs: { 'stock-data': 'b' } });
    expect(positions.admit('stock-data', 0, 0)).toBe(true);
  });
});
