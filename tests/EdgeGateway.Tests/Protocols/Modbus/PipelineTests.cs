using EdgeGateway.Protocols.Modbus;
using EdgeGateway.Protocols.Serial;
using static EdgeGateway.Tests.Protocols.Modbus.PipelineSite;

namespace EdgeGateway.Tests.Protocols.Modbus;

/// <summary>Several transactions at once on one connection: how many a server takes is found out, and finding out costs no value.</summary>
[Trait("clause", "MODBUS Messaging on TCP/IP V1.0b 4.4.1")]
public sealed class PipelineTests
{
    private readonly PipelineSite _site = new();

    private void AllWereRead(int count)
    {
        Assert.Equal(count, _site.Outcomes.Count);
        Assert.All(_site.Outcomes, outcome => Assert.Equal(ModbusOutcome.Ok, outcome));
    }

    /// <summary>The server takes so many at once on a connection, answers each after 5 ms, and objects to more.</summary>
    private void ObjectToMoreThan(int accepted, Action<EventLine, byte[]> objection)
    {
        Dictionary<EventLine, Queue<TimeSpan>> work = [];
        _site.Answer = (line, request) =>
        {
            var leaves = work.TryGetValue(line, out var known) ? known : work[line] = new();
            while (leaves.TryPeek(out var at) && at <= _site.Clock.Now)
            {
                leaves.Dequeue();
            }

            if (leaves.Count >= accepted)
            {
                objection(line, request);
                return;
            }

            leaves.Enqueue(_site.Clock.Now + Ms(5));
            line.Arrive(Ms(5), Good(request));
        };
    }

    [Fact]
    public void A_server_that_takes_many_is_asked_many_at_once()
    {
        _site.ReadMany(2000);

        AllWereRead(2000);
        Assert.Equal(32, _site.Client.Depth);
        Assert.Equal(32, _site.Client.Counters.MostInFlight);
        Assert.Equal(0, _site.Client.Counters.Repeats);

        // 2000 reads of 5 ms would take 10 s one after the other.
        // A read may have to wait for one before it and for three rounds that prove the connection.
        Assert.InRange(_site.Took.Max(), Ms(5), Ms(25));
        Assert.Single(_site.Lines);
    }

    [Fact]
    public void A_server_that_works_on_one_after_the_other_is_not_asked_more_at_once_since_nothing_is_gained()
    {
        _site.Answer = _site.OneAfterTheOther(5);

        _site.ReadMany(500);

        AllWereRead(500);
        Assert.Equal(1, _site.Client.Depth);
        Assert.Equal(1, _site.Client.Wanted);
        Assert.Equal(0, _site.Client.Counters.Objections);
    }

    [Fact]
    public void A_server_that_answers_out_of_order_is_asked_many_at_once()
    {
        var number = 0;
        _site.Answer = (line, request) => line.Arrive(Ms(number++ % 2 == 0 ? 8 : 3), Good(request));

        _site.ReadMany(2000);

        AllWereRead(2000);
        Assert.True(_site.Client.Depth > 4, $"depth {_site.Client.Depth}");
    }

    [Fact]
    public void An_owner_that_asks_one_at_a_time_never_has_two_under_way()
    {
        _site.ReadMany(200, keep: 1);

        Assert.Equal(1, _site.Client.Counters.MostInFlight);
        Assert.Equal(1, _site.Client.Depth);
    }

    [Fact]
    public void An_owner_that_never_has_more_to_ask_is_asked_again_after_ten_minutes()
    {
        Assert.Equal(2, _site.Client.Wanted);
        _site.ReadMany(100, keep: 1);
        Assert.Equal(1, _site.Client.Wanted);

        _site.Clock.Advance(TimeSpan.FromMinutes(10));
        Assert.Equal(2, _site.Client.Wanted);
        _site.ReadMany(100);
        Assert.True(_site.Client.Depth > 1);
    }

    [Fact]
    public void A_server_that_closes_the_connection_gets_one_at_a_time_and_no_value_is_lost()
    {
        ObjectToMoreThan(1, (line, _) => line.Close(Ms(0)));
        GoesBackToOne();
        Assert.Equal(2, _site.Lines.Count);
    }

    [Fact]
    public void A_server_that_drops_what_comes_too_early_gets_one_at_a_time_and_no_value_is_lost()
    {
        ObjectToMoreThan(1, (_, _) => { });
        GoesBackToOne();

        // A dropped read is repeated well within its time.
        Assert.InRange(_site.Took.Max(), Ms(5), PipelineSite.Timeout);
    }

    [Fact]
    public void A_server_that_says_busy_gets_one_at_a_time_and_no_value_is_lost()
    {
        ObjectToMoreThan(1, (line, request) => line.Arrive(Ms(1), Refusal(request, ModbusExceptionCode.ServerDeviceBusy)));
        GoesBackToOne();
    }

    [Fact]
    public void A_server_that_answers_with_another_id_gets_one_at_a_time_and_no_value_is_lost()
    {
        ObjectToMoreThan(1, (line, request) =>
        {
            var reply = Good(request);
            reply[0] ^= 0x40;
            line.Arrive(Ms(6), reply);
        });
        GoesBackToOne();
    }

    [Fact]
    public void A_server_that_damages_its_answers_gets_one_at_a_time_and_no_value_is_lost()
    {
        ObjectToMoreThan(1, (line, request) =>
        {
            var reply = Good(request);
            reply[2] = 0xFF;
            line.Arrive(Ms(6), reply);
        });
        GoesBackToOne();
    }

    [Fact]
    public void A_server_that_merges_two_answers_gets_one_at_a_time_and_no_value_is_lost()
    {
        ObjectToMoreThan(1, (line, request) =>
        {
            var reply = Good(request);
            line.Arrive(Ms(6), Adu(IdOf(request), request[6], [.. reply[MbapHeader.Size..], .. reply[MbapHeader.Size..]]));
        });
        GoesBackToOne();
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(1, 4)]
    [InlineData(2, 1)]
    [InlineData(2, 4)]
    [InlineData(100, 1)]
    [InlineData(100, 4)]
    [InlineData(0, 4)]
    public void A_server_that_puts_the_newest_header_on_each_answer_gets_one_at_a_time_and_no_foreign_value_is_taken(int quantity, int units)
    {
        _site.Answer = _site.UnderTheNewestHeader(5);

        // Each value is judged by the site: it is that of the address that was asked.
        _site.ReadMany(400, keep: 4, unit: i => (byte)(1 + (i % units)), quantity: quantity > 0 ? _ => quantity : null);

        AllWereRead(400);
        Assert.Equal(1, _site.Client.Depth);
        Assert.Equal(quantity == 1 ? 0 : 1, _site.Client.Counters.Objections);
        Assert.Equal(quantity == 1 ? 1 : 2, _site.Lines.Count);
    }

    [Fact]
    public void Reads_of_equal_length_share_the_connection_after_reads_of_the_client_have_proved_it()
    {
        _site.ReadMany(2000, quantity: _ => 100);

        AllWereRead(2000);
        Assert.Equal(32, _site.Client.Depth);
        Assert.Equal(0, _site.Client.Counters.Objections);
    }

    [Fact]
    public void Each_new_connection_is_proved_before_reads_share_it()
    {
        _site.ReadMany(2000, quantity: _ => 100);
        _site.Lines[0].Close(Ms(0));
        _site.Answer = _site.UnderTheNewestHeader(5);

        _site.ReadMany(400, keep: 8, quantity: _ => 100);

        AllWereRead(2400);
        Assert.Equal(1, _site.Client.Depth);
    }

    [Fact]
    public void Nothing_is_asked_again_on_a_connection_that_gave_a_foreign_answer()
    {
        ObjectToMoreThan(1, (line, request) =>
        {
            var reply = Good(request);
            reply[0] ^= 0x40;
            line.Arrive(Ms(6), reply);
        });
        GoesBackToOne();
        Assert.True(_site.Lines[0].IsDisposed);
        Assert.Equal(2, _site.Lines.Count);
    }

    [Fact]
    public void A_device_that_refuses_parts_of_what_it_gives_is_asked_one_at_a_time()
    {
        _site.Answer = (line, request) => line.Arrive(Ms(5), request[11] == 6 ? Good(request) : Refusal(request, ModbusExceptionCode.IllegalDataAddress));

        _site.ReadMany(400, keep: 4, quantity: _ => 6);

        AllWereRead(400);
        Assert.Equal(1, _site.Client.Depth);
        Assert.Equal(0, _site.Client.Counters.Objections);
        Assert.Single(_site.Lines);
    }

    [Fact]
    public void A_repeat_that_is_given_up_is_no_objection()
    {
        using var cancel = new CancellationTokenSource();
        _site.ReadMany(1000, unit: i => (byte)(1 + (i % 4)));
        var depth = _site.Client.Depth;
        _site.Answer = (line, request) =>
        {
            if (request[6] != 4)
            {
                line.Arrive(Ms(5), Good(request));
            }
        };
        var other = _site.Read();
        var lost = _site.Read(unit: 4, cancel: cancel.Token);
        var tail = _site.Read();
        _site.Until(() => other.IsCompleted && tail.IsCompleted && _site.Client.Counters.Repeats == 1);
        cancel.Cancel();
        _site.ReadMany(200);

        Assert.True(lost.IsCanceled);
        Assert.Equal(0, _site.Client.Counters.Objections);
        Assert.Equal(depth, _site.Client.Depth);
    }

    [Fact]
    public void A_server_that_chokes_is_asked_again_on_a_new_connection()
    {
        Dictionary<EventLine, (TimeSpan Busy, bool Choked)> work = [];
        var choked = 0;
        _site.Answer = (line, request) =>
        {
            var (busy, isChoked) = work.GetValueOrDefault(line);
            if (!isChoked && busy > _site.Clock.Now)
            {
                isChoked = true;
                choked++;
                line.Forget();
            }

            work[line] = (_site.Clock.Now + Ms(5), isChoked);
            if (!isChoked)
            {
                line.Arrive(Ms(5), Good(request));
            }
        };

        GoesBackToOne();
        Assert.Equal(1, choked);
        Assert.Equal(2, _site.Lines.Count);
    }

    [Fact]
    public void A_server_that_takes_four_is_asked_four_at_once_after_it_objected_to_eight()
    {
        ObjectToMoreThan(4, (line, request) => line.Arrive(Ms(1), Refusal(request, ModbusExceptionCode.ServerDeviceBusy)));

        _site.ReadMany(2000);

        AllWereRead(2000);
        Assert.Equal(4, _site.Client.Depth);
        Assert.Equal(1, _site.Client.Counters.Objections);
    }

    [Fact]
    public void After_an_objection_nothing_is_tried_for_an_hour_and_then_for_a_day()
    {
        ObjectToMoreThan(1, (line, _) => line.Close(Ms(0)));
        _site.ReadMany(200);
        Assert.Equal(1, _site.Client.Wanted);
        _site.Clock.Advance(TimeSpan.FromMinutes(59));
        _site.ReadMany(200);
        Assert.Equal(1, _site.Client.Counters.Objections);

        _site.Clock.Advance(TimeSpan.FromMinutes(2));
        _site.ReadMany(200);
        Assert.Equal(2, _site.Client.Counters.Objections);

        _site.Clock.Advance(TimeSpan.FromHours(23));
        _site.ReadMany(200);
        Assert.Equal(2, _site.Client.Counters.Objections);

        _site.Clock.Advance(TimeSpan.FromHours(2));
        _site.ReadMany(200);
        Assert.Equal(3, _site.Client.Counters.Objections);
        AllWereRead(1000);
    }

    [Fact]
    public void A_device_that_dies_is_no_objection_and_the_others_are_still_read_many_at_once()
    {
        _site.ReadMany(1000, unit: i => (byte)(1 + (i % 4)));
        Assert.Equal(32, _site.Client.Depth);
        _site.Answer = (line, request) =>
        {
            if (request[6] != 4)
            {
                line.Arrive(Ms(5), Good(request));
            }
        };
        _site.Outcomes.Clear();

        _site.ReadMany(100, unit: i => i == 50 ? (byte)4 : (byte)1);

        Assert.Equal(ModbusStatus.Timeout, Assert.Single(_site.Outcomes, outcome => !outcome.IsOk).Status);
        Assert.Equal(32, _site.Client.Depth);
        Assert.Equal(0, _site.Client.Counters.Objections);

        // What was lost is asked again on a new connection.
        Assert.Equal(2, _site.Lines.Count);
    }

    [Fact]
    public void A_silent_unit_behind_a_server_that_works_on_two_at_once_does_not_hold_up_the_others()
    {
        var free = new TimeSpan[2];
        _site.Answer = (line, request) =>
        {
            if (request[6] == 9)
            {
                return;
            }

            var worker = free[0] <= free[1] ? 0 : 1;
            free[worker] = (free[worker] > _site.Clock.Now ? free[worker] : _site.Clock.Now) + Ms(10);
            line.Arrive(free[worker] - _site.Clock.Now, Good(request));
        };
        _site.ReadMany(1000);
        Assert.Equal(2, _site.Client.Depth);
        _site.Outcomes.Clear();

        var silent = _site.Read(unit: 9);
        var began = _site.Clock.Now;
        for (var asked = 0; _site.Outcomes.Count < 90; _site.Step())
        {
            for (; asked < 90 && _site.UnderWay < _site.Client.Wanted; asked++)
            {
                _site.Read();
            }
        }

        // Two at once take 450 ms, one at a time 900 ms: the silent unit counts for the first 50 ms only.
        Assert.InRange(_site.Clock.Now - began, Ms(450), Ms(500));
        AllWereRead(90);
        Assert.False(silent.IsCompleted);
        _site.Until(() => silent.IsCompleted);
        Assert.Equal(2, _site.Client.Depth);
        Assert.Equal(0, _site.Client.Counters.Objections);
    }

    [Fact]
    public void A_silent_unit_behind_a_server_that_works_on_one_after_the_other_is_waited_for()
    {
        _site.Answer = (line, request) =>
        {
            if (request[6] != 9)
            {
                line.Arrive(Ms(5), Good(request));
            }
        };

        var began = _site.Clock.Now;
        _site.Read(unit: 9);
        var next = _site.Read();
        _site.Until(() => next.IsCompleted);

        Assert.Equal(1, _site.Client.Counters.MostInFlight);
        Assert.Equal(PipelineSite.Timeout + Ms(5), _site.Clock.Now - began);
        Assert.Equal(PipelineSite.Timeout, _site.Outcomes[1].Queued);
        Assert.Equal(TimeSpan.Zero, _site.Outcomes[0].Queued);
    }

    [Fact]
    public void A_tight_time_limit_does_not_keep_a_server_that_takes_many_at_one()
    {
        // The poller learns three times what 99 of 100 answers took, and never waits less than 300 ms over a network.
        _site.Answer = (line, request) => line.Arrive(Ms(100), Good(request));

        while (_site.Outcomes.Count < 2000)
        {
            while (_site.UnderWay < _site.Client.Wanted)
            {
                _site.Read(timeout: Ms(300));
            }

            _site.Step();
        }

        Assert.Equal(32, _site.Client.Depth);
        Assert.Equal(0, _site.Client.Counters.Repeats);
    }

    [Fact]
    public void A_server_that_is_slow_for_a_moment_is_no_objection_and_no_value_is_lost()
    {
        _site.ReadMany(1000);
        var until = _site.Clock.Now + Ms(150);
        _site.Answer = (line, request) =>
        {
            var at = _site.Clock.Now + Ms(5);
            line.Arrive((at > until ? at : until) - _site.Clock.Now, Good(request));
        };

        _site.ReadMany(1000);

        AllWereRead(2000);
        Assert.Equal(32, _site.Client.Depth);
        Assert.Equal(0, _site.Client.Counters.Objections);
    }

    [Fact]
    public void A_write_is_sent_alone()
    {
        _site.ReadMany(1000);
        List<(int UnderWay, byte Function)> seen = [];
        Queue<TimeSpan> leaves = new();
        _site.Answer = (line, request) =>
        {
            while (leaves.TryPeek(out var at) && at <= _site.Clock.Now)
            {
                leaves.Dequeue();
            }

            seen.Add((leaves.Count, request[7]));
            leaves.Enqueue(_site.Clock.Now + Ms(5));
            line.Arrive(Ms(5), request[7] == 3 ? Good(request) : request);
        };

        var before = _site.Read();
        var also = _site.Read();
        var write = _site.Write();
        var after = _site.Read();
        _site.Until(() => before.IsCompleted && also.IsCompleted && write.IsCompleted && after.IsCompleted);

        Assert.Equal([(0, 3), (1, 3), (0, 6), (0, 3)], seen);
    }

    [Fact]
    public void Time_in_the_own_queue_is_not_the_silence_of_the_device()
    {
        // Each answer takes most of its time: the fourth in the queue is sent after 2.7 s and answered all the same.
        _site.Answer = (line, request) => line.Arrive(Ms(900), Good(request));

        _site.ReadMany(4, keep: 4);

        AllWereRead(4);
        Assert.Equal(Ms(3600), _site.Took.Max());
    }

    [Fact]
    public void A_silent_server_ends_every_request_that_waits_one_after_the_other()
    {
        _site.Answer = (_, _) => { };

        _site.ReadMany(8, keep: 8);

        Assert.All(_site.Outcomes, outcome => Assert.Equal(ModbusStatus.Timeout, outcome.Status));
        Assert.Equal(8, _site.Outcomes.Count);
        Assert.InRange(_site.Took.Max(), Ms(1000), Ms(8000));
        Assert.Equal(3, _site.Lines.Count);
    }

    [Fact]
    public void A_server_that_falls_silent_with_many_under_way_is_given_up_after_three_timeouts()
    {
        _site.ReadMany(1000);
        _site.Answer = (_, _) => { };
        _site.Outcomes.Clear();
        _site.Took.Clear();

        _site.ReadMany(32, keep: 32);

        Assert.All(_site.Outcomes, outcome => Assert.Equal(ModbusStatus.Timeout, outcome.Status));
        Assert.True(_site.Lines[0].IsDisposed);
    }

    [Fact]
    public void A_request_that_is_given_up_makes_room_for_the_next_and_its_answer_is_discarded()
    {
        using var cancel = new CancellationTokenSource();
        _site.Answer = (line, request) => line.Arrive(Ms(50), Good(request));
        var first = _site.Read(cancel: cancel.Token);
        var second = _site.Read();
        Assert.Single(_site.Lines[0].Written);

        cancel.Cancel();

        Assert.True(first.IsCanceled);
        Assert.Equal(2, _site.Lines[0].Written.Count);
        _site.Until(() => second.IsCompleted);
        AllWereRead(1);
        Assert.Equal(1, _site.Client.Counters.LateDiscarded);
    }

    [Fact]
    public void A_request_that_waits_for_its_turn_can_be_given_up()
    {
        using var cancel = new CancellationTokenSource();
        var first = _site.Read();
        var second = _site.Read(cancel: cancel.Token);
        var third = _site.Read();

        cancel.Cancel();

        Assert.True(second.IsCanceled);
        _site.Until(() => first.IsCompleted && third.IsCompleted);
        Assert.Equal(2, _site.Lines[0].Written.Count);
    }

    [Fact]
    public async Task More_requests_than_the_capacity_are_a_mistake_of_the_program()
    {
        var site = new PipelineSite(capacity: 2);
        _ = site.Read();
        _ = site.Read();

        await Assert.ThrowsAsync<InvalidOperationException>(() => site.Read());
    }

    [Fact]
    public async Task A_fault_of_who_watches_is_told_to_the_caller_and_the_client_stays_usable()
    {
        _site.Answer = (_, _) => throw new FormatException("of the watcher");
        await Assert.ThrowsAsync<FormatException>(() => _site.Client.ReadAsync(1, RegisterTable.HoldingRegister, 1, 1, new ushort[1], PipelineSite.Timeout).AsTask());
        _site.Answer = (line, request) => line.Arrive(Ms(5), Good(request));

        _site.ReadMany(3);

        AllWereRead(3);
    }

    [Fact]
    public async Task Closing_the_client_ends_what_is_under_way()
    {
        var first = _site.Read();
        var second = _site.Read();

        await _site.Client.DisposeAsync();

        Assert.Equal(ModbusStatus.NotConnected, (await first).Status);
        Assert.Equal(ModbusStatus.NotConnected, (await second).Status);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => _site.Read());
    }

    [Fact]
    public void A_connection_with_very_many_unanswered_requests_is_made_anew_under_load_too()
    {
        var number = 0;
        _site.Answer = (line, request) => line.Arrive(Ms(number++ % 2 == 0 ? 8 : 3), Good(request));
        _site.ReadMany(2000);
        Assert.Single(_site.Lines);
        _site.Outcomes.Clear();
        var answer = _site.Answer;
        _site.Answer = (line, request) =>
        {
            if (request[6] != 9)
            {
                answer(line, request);
            }
        };

        var reads = 0;
        for (var i = 0; i < 1100; i++)
        {
            using var cancel = new CancellationTokenSource();
            _site.Read(unit: 9, cancel: cancel.Token);
            cancel.Cancel();
            for (; _site.UnderWay < 8; reads++)
            {
                _site.Read();
            }

            if (i % 8 == 0)
            {
                _site.Step();
            }
        }

        Assert.Equal(2, _site.Lines.Count);
        _site.Until(() => _site.UnderWay == 0);
        AllWereRead(reads);
    }

    [Fact]
    public void While_a_request_goes_out_slowly_the_client_waits_for_it()
    {
        using var cancel = new CancellationTokenSource();
        TaskCompletionSource<bool> sending = new();
        _site.Sending = sending.Task;
        var first = _site.Read(cancel: cancel.Token);
        var second = _site.Read();
        cancel.Cancel();
        Assert.True(first.IsCanceled);

        // The loop looks up once, finds that it has nothing to wait for but the sending, and sleeps: it would turn for ever in this call.
        _site.Step();
        Assert.Equal(TimeSpan.MaxValue, _site.Lines[0].NextEvent);
        _site.Sending = null;
        sending.SetResult(true);

        Assert.True(SpinWait.SpinUntil(() => _site.Lines[0].NextEvent < TimeSpan.MaxValue, TimeSpan.FromSeconds(20)), "the client did not wake");
        _site.Until(() => second.IsCompleted);
        AllWereRead(1);
    }

    [Fact]
    public async Task A_connection_that_comes_about_after_the_client_was_closed_is_closed()
    {
        TaskCompletionSource<IByteLine> opening = new();
        ModbusTcpClient client = new((_, _) => new(opening.Task), _site.Clock);
        var read = client.ReadAsync(1, RegisterTable.HoldingRegister, 1, 1, new ushort[1], PipelineSite.Timeout).AsTask();
        await client.DisposeAsync();
        Assert.Equal(ModbusStatus.NotConnected, (await read).Status);

        EventLine line = new(_site.Clock);
        opening.SetResult(line);

        Assert.True(SpinWait.SpinUntil(() => line.IsDisposed, TimeSpan.FromSeconds(20)), "the connection stays open");
    }

    [Fact]
    public void A_line_that_does_not_close_keeps_nobody_waiting()
    {
        var first = _site.Read();
        var second = _site.Read();
        _site.Lines[0].Closing = new TaskCompletionSource().Task;

        var closing = _site.Client.DisposeAsync();

        Assert.False(closing.IsCompleted);
        Assert.True(second.IsCompleted);
    }

    private void GoesBackToOne()
    {
        _site.ReadMany(400);

        AllWereRead(400);
        Assert.Equal(2, _site.Client.Counters.MostInFlight);
        Assert.Equal(1, _site.Client.Depth);
        Assert.Equal(1, _site.Client.Wanted);
        Assert.Equal(1, _site.Client.Counters.Objections);
    }
}
