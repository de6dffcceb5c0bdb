using EdgeGateway.Protocols.Modbus;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>Which answer belongs to which request on one connection.</summary>
public sealed class TransactionTableTests
{
    private readonly TransactionTable _table = new(4);

    private ModbusExchange Send()
    {
        ModbusExchange exchange = new();
        _table.Add(exchange, 0);
        return exchange;
    }

    private static void Round(TransactionTable table, ModbusExchange exchange, int count)
    {
        for (var i = 0; i < count; i++)
        {
            table.Add(exchange, 0);
            Assert.Same(exchange, table.Take(exchange.TransactionId, 0));
        }
    }

    [Fact]
    public void An_id_that_may_still_be_answered_is_not_given_again()
    {
        var abandoned = Send();
        _table.Abandon(abandoned, 0);
        var underWay = Send();
        ModbusExchange other = new();
        for (var i = 0; i < 2 * 65_536; i++)
        {
            _table.Add(other, 0);
            Assert.NotEqual(abandoned.TransactionId, other.TransactionId);
            Assert.NotEqual(underWay.TransactionId, other.TransactionId);
            _table.Take(other.TransactionId, 0);
        }
    }

    [Fact]
    public void An_id_whose_late_answer_has_come_is_given_again()
    {
        var late = Send();
        _table.Abandon(late, 0);
        Assert.True(_table.Settle(late.TransactionId, out var wasMissing));
        Assert.True(wasMissing);
        Round(_table, new(), 65_535);
        Assert.Equal(late.TransactionId, Send().TransactionId);
    }

    [Fact]
    public void A_doubled_answer_belongs_to_the_connection_and_a_foreign_one_does_not()
    {
        var first = Send();
        _table.Take(first.TransactionId, 0);
        Assert.True(_table.Settle(first.TransactionId, out var wasMissing));
        Assert.False(wasMissing);
        Assert.False(_table.Settle((ushort)(first.TransactionId + 7), out _));
        _table.Clear();
        Assert.False(_table.Settle(first.TransactionId, out _));
    }

    [Fact]
    public void The_clock_of_a_request_begins_when_those_before_it_have_ended()
    {
        var first = Send();
        var second = Send();
        _table.Take(first.TransactionId, now: 70);
        Assert.Equal(70, second.ClockStart);
    }

    [Fact]
    public void A_request_knows_that_a_later_one_was_answered_before_it()
    {
        var first = Send();
        var second = Send();
        Assert.False(first.IsOvertaken);
        _table.Take(second.TransactionId, 0);
        Assert.True(first.IsOvertaken);
        Assert.Equal(0, first.ClockStart);
    }

    [Fact]
    public void A_connection_that_left_very_many_unanswered_is_worn()
    {
        for (var i = 0; i < 1024; i++)
        {
            Assert.False(_table.IsWorn);
            _table.Abandon(Send(), 0);
        }

        Assert.True(_table.IsWorn);
        _table.Clear();
        Assert.False(_table.IsWorn);
    }
}
