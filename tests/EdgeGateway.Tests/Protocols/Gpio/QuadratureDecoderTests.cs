using EdgeGateway.Protocols.Gpio;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeGateway.Tests.Protocols.Gpio;

/// <summary>Steps and their direction from two lines.</summary>
public sealed class QuadratureDecoderTests
{
    private const int LineA = 4;
    private const int LineB = 9;

    [Fact]
    public void A_before_B_is_forward_and_B_before_A_is_back()
    {
        var decoder = Decoder();
        Assert.Equal([1, 1, 1, 1], Add(decoder, 0, (LineA, true), (LineB, true), (LineA, false), (LineB, false)));
        Assert.Equal([-1, -1, -1, -1], Add(decoder, 4, (LineB, true), (LineA, true), (LineB, false), (LineA, false)));
        Assert.Equal(0, decoder.State.Position);
    }

    [Fact]
    public void Any_walk_comes_to_the_right_position()
    {
        Prop.ForAll(Gen.Elements(1, -1).ListOf().ToArbitrary(), walk =>
        {
            (bool A, bool B)[] places = [(false, false), (true, false), (true, true), (false, true)];
            var decoder = Decoder();
            var place = 0;
            uint number = 0;
            foreach (var step in walk)
            {
                var from = places[((place % 4) + 4) % 4];
                place += step;
                var to = places[((place % 4) + 4) % 4];
                decoder.Add(from.A != to.A ? Event(LineA, to.A, ++number) : Event(LineB, to.B, ++number));
            }

            Assert.Equal((place, 0L, 0L), (decoder.State.Position, decoder.State.Lost, decoder.State.Misread));
        }).QuickCheckThrowOnFailure();
    }

    [Fact]
    public void After_lost_edges_both_lines_must_be_seen_again()
    {
        var decoder = Decoder();
        decoder.Add(Event(LineA, true, 1));
        Assert.Equal([0, 0, 1], Add(decoder, 3, (LineA, false), (LineB, false), (LineA, true)));
        Assert.Equal((2L, 2L), (decoder.State.Position, decoder.State.Lost));
    }

    [Fact]
    public void An_edge_of_the_direction_that_the_line_has_moves_nothing()
    {
        var decoder = Decoder();
        Assert.Equal([1, 0, 1], Add(decoder, 0, (LineA, true), (LineA, true), (LineB, true)));
        Assert.Equal((2L, 1L), (decoder.State.Position, decoder.State.Misread));
    }

    [Fact]
    public void Edges_of_other_lines_and_from_before_the_beginning_are_left_out()
    {
        var decoder = new QuadratureDecoder(LineA, LineB);
        decoder.Begin(isA: true, isB: false, nowNs: 100);
        Assert.Equal(0, decoder.Add(new(50, isRising: true, LineA, 1, 1)));
        Assert.Equal(0, decoder.Add(new(150, isRising: true, 5, 2, 1)));
        Assert.Equal(0, decoder.State.Misread);
        var kept = new QuadratureDecoder(LineA, LineB, decoder.State);
        Assert.Equal(1, kept.Add(new(200, isRising: true, LineB, 3, 1)));
    }

    private static QuadratureDecoder Decoder()
    {
        var decoder = new QuadratureDecoder(LineA, LineB);
        decoder.Begin(isA: false, isB: false, nowNs: 0);
        return decoder;
    }

    private static int[] Add(QuadratureDecoder decoder, uint after, params (int Line, bool IsRising)[] edges) =>
        [.. edges.Select((edge, i) => decoder.Add(Event(edge.Line, edge.IsRising, after + (uint)i + 1)))];

    private static GpioEvent Event(int line, bool isRising, uint number) => new(number, isRising, line, number, number);
}
