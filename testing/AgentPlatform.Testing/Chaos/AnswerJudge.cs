namespace AgentPlatform.Testing.Chaos;

/// <summary>How a request ended for its client.</summary>
internal enum Verdict
{
    /// <summary>The whole answer, byte for byte what it is undisturbed.</summary>
    Completed,

    /// <summary>An error status before the first byte.</summary>
    Refused,

    /// <summary>What came is right so far, and an explicit error ended it.</summary>
    Failed,

    /// <summary>The client left; what came is right so far.</summary>
    Left,

    /// <summary>Something came twice.</summary>
    Duplicated,

    /// <summary>The response ended without an end mark and without an error.</summary>
    Truncated,

    /// <summary>The answer differs from the undisturbed one.</summary>
    Wrong,

    /// <summary>The response did not end within the deadline.</summary>
    Hung,
}

/// <summary>Compares answers to the undisturbed ones.</summary>
internal static class AnswerJudge
{
    /// <summary>What to think of an answer, and for a bad one why.</summary>
    public static (Verdict Verdict, string? Reason) Judge(Answer answer, Answer undisturbed)
    {
        if (answer.Oddity is { } oddity)
        {
            return (Verdict.Wrong, oddity);
        }

        if (Compare(answer, undisturbed) is { } difference)
        {
            return difference;
        }

        if (answer.Error is not null && (answer.Status == 200 || answer.IsWhole))
        {
            // A client that does not know the event must not take what it has for the whole answer.
            return answer.Status != 200 ? (Verdict.Refused, answer.Error)
                : answer.IsWhole ? (Verdict.Wrong, "looks complete behind its error")
                : (Verdict.Failed, answer.Error);
        }

        if (answer.IsLeft)
        {
            return (Verdict.Left, null);
        }

        return answer.IsHung ? (Verdict.Hung, $"after {answer.Events} events")
            : answer is { IsDone: true, IsWhole: true } ? Finish(answer, undisturbed)
            : (Verdict.Truncated, answer.Status == 0
                ? "no response"
                : $"after {answer.Events} events, {(answer.IsWhole ? "without [DONE]" : "cut off")}");
    }

    // What came must be the beginning of what was to come.
    private static (Verdict Verdict, string Reason)? Compare(Answer answer, Answer undisturbed)
    {
        if (answer.Choices.Count > undisturbed.Choices.Count)
        {
            return (Verdict.Wrong, $"{answer.Choices.Count} choices instead of {undisturbed.Choices.Count}");
        }

        for (var i = 0; i < answer.Choices.Count; i++)
        {
            var (came, due) = (answer.Choices[i].Text.ToString(), undisturbed.Choices[i].Text.ToString());
            if (!due.StartsWith(came, StringComparison.Ordinal))
            {
                return Differ(i, came, due);
            }

            if (answer.Choices[i].Roles > 1)
            {
                return (Verdict.Duplicated, $"choice {i} began {answer.Choices[i].Roles} times");
            }
        }

        return null;
    }

    private static (Verdict Verdict, string Reason) Differ(int choice, string came, string due)
    {
        var at = came.AsSpan().CommonPrefixLength(due);
        var reason = $"choice {choice} at character {at}: '{Around(came, at)}' instead of '{Around(due, at)}'";

        // A token or more that came a second time. One letter alone may be alike by chance.
        var rest = came.AsSpan(at);
        for (var back = 2; back <= at; back++)
        {
            var length = Math.Min(back, rest.Length);
            if (length >= 2 && rest[..length].SequenceEqual(due.AsSpan(at - back, length)))
            {
                return (Verdict.Duplicated, reason);
            }
        }

        return (Verdict.Wrong, reason);
    }

    private static (Verdict Verdict, string? Reason) Finish(Answer answer, Answer undisturbed)
    {
        if (answer.Choices.Count != undisturbed.Choices.Count)
        {
            return (Verdict.Wrong, $"{answer.Choices.Count} choices instead of {undisturbed.Choices.Count}");
        }

        for (var i = 0; i < answer.Choices.Count; i++)
        {
            var (came, due) = (answer.Choices[i], undisturbed.Choices[i]);
            if (came.Text.Length != due.Text.Length)
            {
                return (Verdict.Wrong, $"choice {i} lacks '{due.Text.ToString()[came.Text.Length..]}'");
            }

            if (came.FinishReason != due.FinishReason || came.Roles != due.Roles)
            {
                return (Verdict.Wrong, $"choice {i} ends with '{came.FinishReason}' instead of '{due.FinishReason}', {came.Roles} roles");
            }
        }

        return answer.Usage == undisturbed.Usage
            ? (Verdict.Completed, null)
            : (Verdict.Wrong, $"usage {answer.Usage} instead of {undisturbed.Usage}");
    }

    private static string Around(string text, int at) => text[Math.Max(0, at - 20)..Math.Min(text.Length, at + 30)];
}
