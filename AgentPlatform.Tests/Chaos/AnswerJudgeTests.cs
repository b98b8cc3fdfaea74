using System.Text;
using AgentPlatform.Testing.Chaos;

namespace AgentPlatform.Tests.Chaos;

public sealed class AnswerJudgeTests
{
    private const string Done = "data: [DONE]\n\n";

    private static readonly string[] _tokens = ["This", " is", " the", " whole", " answer", "."];

    [Fact]
    public void The_same_answer_is_complete_wherever_its_bytes_are_cut()
    {
        var response = Stream([.. _tokens.Select(Token), Finish, Usage, Done]);
        for (var at = 1; at < response.Length; at++)
        {
            var answer = new Answer();
            answer.Feed(response.AsSpan(0, at));
            answer.Feed(response.AsSpan(at));
            Assert.Equal((Verdict.Completed, null), AnswerJudge.Judge(answer, Undisturbed()));
        }
    }

    [Fact]
    public void An_answer_that_is_cut_off_anywhere_is_truncated()
    {
        var response = Stream([.. _tokens.Select(Token), Finish, Usage, Done]);
        for (var length = 0; length < response.Length; length++)
        {
            var answer = new Answer();
            answer.Feed(response.AsSpan(0, length));
            Assert.Equal(Verdict.Truncated, AnswerJudge.Judge(answer, Undisturbed()).Verdict);
        }
    }

    [Fact]
    public void A_stream_that_ends_properly_without_done_is_truncated() =>
        Judge(Verdict.Truncated, [.. _tokens.Select(Token), Finish, Usage]);

    [Fact]
    public void A_token_that_comes_twice_is_a_duplicate() =>
        Judge(Verdict.Duplicated, [.. _tokens.Take(3).Select(Token), Token(" the"), .. _tokens.Skip(3).Select(Token), Finish, Usage, Done]);

    [Fact]
    public void A_replay_from_the_start_is_a_duplicate() =>
        Judge(Verdict.Duplicated, [.. _tokens.Take(4).Select(Token), .. _tokens.Select(Token), Finish, Usage, Done]);

    [Fact]
    public void A_role_that_comes_twice_is_a_duplicate() =>
        Judge(Verdict.Duplicated, [Role, Role, .. _tokens.Select(Token), Finish, Usage, Done]);

    [Fact]
    public void A_missing_token_is_wrong() =>
        Judge(Verdict.Wrong, [.. _tokens.Where(token => token != " the").Select(Token), Finish, Usage, Done]);

    [Fact]
    public void A_missing_end_is_wrong() => Judge(Verdict.Wrong, [.. _tokens.Take(4).Select(Token), Finish, Usage, Done]);

    [Fact]
    public void Another_reason_to_end_is_wrong() =>
        Judge(Verdict.Wrong, [.. _tokens.Select(Token), Finish.Replace("stop", "length", StringComparison.Ordinal), Usage, Done]);

    [Fact]
    public void Other_usage_is_wrong() => Judge(Verdict.Wrong, [.. _tokens.Select(Token), Finish, Usage.Replace('6', '7'), Done]);

    [Fact]
    public void A_second_end_is_wrong() => Judge(Verdict.Wrong, [.. _tokens.Select(Token), Finish, Finish, Usage, Done]);

    [Fact]
    public void An_event_behind_the_end_is_wrong() => Judge(Verdict.Wrong, [.. _tokens.Select(Token), Finish, Usage, Done, Token(" more")]);

    [Fact]
    public void An_error_inside_a_right_answer_that_is_cut_behind_it_is_an_explicit_failure()
    {
        var answer = new Answer();
        answer.Feed(Stream([.. _tokens.Take(4).Select(Token), Error]).AsSpan()[..^"0\r\n\r\n".Length]);
        Assert.Equal((Verdict.Failed, "engine_error"), AnswerJudge.Judge(answer, Undisturbed()));
    }

    [Fact]
    public void An_error_in_an_answer_that_looks_complete_is_wrong() => Judge(Verdict.Wrong, [.. _tokens.Take(4).Select(Token), Error]);

    [Fact]
    public void An_error_behind_a_wrong_token_is_wrong() => Judge(Verdict.Wrong, [.. _tokens.Take(3).Select(Token), Token(" half"), Error]);

    [Fact]
    public void A_refusal_is_refused_and_says_when_to_come_again()
    {
        var answer = new Answer();
        answer.Feed(
            "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nContent-Type: application/json\r\nContent-Length: 52\r\n\r\n"u8);
        answer.Feed("{\"error\":{\"message\":\"Away.\",\"type\":\"t\",\"code\":\"un\"}}"u8);
        Assert.Equal((Verdict.Refused, "un"), AnswerJudge.Judge(answer, Undisturbed()));
        Assert.True(answer.HasRetryAfter);
    }

    [Fact]
    public void A_client_that_gave_up_waiting_was_hung()
    {
        var answer = new Answer { IsHung = true };
        answer.Feed(Stream([Token("This")]).AsSpan()[..^5]);
        Assert.Equal(Verdict.Hung, AnswerJudge.Judge(answer, Undisturbed()).Verdict);
    }

    private static string Role =>
        "data: {\"id\":\"chatcmpl-00000000000000000000000000000001\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\"},"
            + "\"finish_reason\":null}]}\n\n";

    private static string Finish =>
        "data: {\"id\":\"chatcmpl-00000000000000000000000000000001\",\"choices\":[{\"index\":0,\"delta\":{},"
            + "\"finish_reason\":\"stop\"}]}\n\n";

    private static string Usage =>
        "data: {\"id\":\"chatcmpl-00000000000000000000000000000001\",\"choices\":[],\"usage\":{\"completion_tokens\":6}}\n\n";

    private static string Error => "data: {\"error\":{\"message\":\"It failed.\",\"type\":\"server_error\",\"code\":\"engine_error\"}}\n\n";

    private static string Token(string text) =>
        $$$"""data: {"id":"chatcmpl-00000000000000000000000000000001","choices":[{"index":0,"delta":{"content":"{{{text}}}"}"""
            + ""","finish_reason":null}]}""" + "\n\n";

    private static Answer Undisturbed()
    {
        var answer = new Answer();
        answer.Feed(Stream([.. _tokens.Select(Token), Finish, Usage, Done]));
        return answer;
    }

    private static void Judge(Verdict expected, string[] events)
    {
        var answer = new Answer();
        answer.Feed(Stream(events));
        Assert.Equal(expected, AnswerJudge.Judge(answer, Undisturbed()).Verdict);
    }

    // Each event a chunk, as the gateway sends them.
    private static byte[] Stream(string[] events) => Encoding.UTF8.GetBytes(
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n" + string.Concat(
            events.Select(text => $"{text.Length:x}\r\n{text}\r\n")) + "0\r\n\r\n");
}
