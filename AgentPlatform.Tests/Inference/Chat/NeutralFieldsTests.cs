namespace AgentPlatform.Tests.Inference.Chat;

/// <summary>
/// Fields that ask for what happens without them, as clients send them. Each engine that refuses fields is tried with all of them.
/// </summary>
public static class NeutralFieldsTests
{
    /// <summary>Members of a chat request.</summary>
    public static TheoryData<string> Neutral =>
    [
        // Semantic Kernel, without functions: the kind of tool and its choice.
        """ "tools":[{"type":"function","function":{"name":"NonInvocableTool"}}],"tool_choice":"none" """,
        """ "tool_choice":"none","tools":[{"type":"function","function":{"name":"f"}}],"parallel_tool_calls":false """,
        """ "functions":[{"name":"f"}],"function_call":"none" """,
        """ "tools":[],"tool_choice":"auto","parallel_tool_calls":true """,
        """ "functions":[],"function_call":"auto" """,
        """ "tools":null,"tool_choice":null """,

        // Microsoft.Extensions.AI and the AI SDK, reasoning off.
        """ "reasoning_effort":"none" """,
        """ "reasoning":{"effort":"none"},"thinking":{"type":"disabled"},"enable_thinking":false """,
        """ "chat_template_kwargs":{} """,
        """ "chat_template_kwargs":{"enable_thinking":false,"thinking":null} """,

        """ "modalities":["text"],"audio":{"voice":"alloy","format":"wav"} """,
        """ "response_format":{"type":"text"},"verbosity":"medium" """,
        """ "logit_bias":{},"stop":[],"documents":[],"metadata":{},"prediction":null,"web_search_options":null """,
        """ "store":false,"service_tier":"auto","user":"u","safety_identifier":"s" """,
        """ "prompt_cache_key":"k","prompt_cache_retention":"24h" """,
        """ "n":1,"logprobs":false,"top_logprobs":0,"presence_penalty":0,"frequency_penalty":0,"best_of":1,"echo":false """,
        """ "repetition_penalty":1,"length_penalty":1.0,"min_p":0,"min_tokens":0,"mirostat":0,"typical_p":1,"use_beam_search":"""
            + """false,"grammar":"" """,
        """ "stream_options":{"include_usage":false} """,
    ];
}
