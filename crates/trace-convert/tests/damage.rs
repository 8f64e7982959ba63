//! Files of every format, damaged at random: converted or refused with a
//! reason, never a panic, and what was written reads back.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use clap::Parser;
use proptest::prelude::*;
use trace_convert::{Args, Input, Report};
use trace_core::{Line, Reader};

/// A small file of every format that is told by itself.
const FILES: [&str; 32] = [
    "{\"captureData\":{\"endpointInput\":{\"data\":\"{\\\"messages\\\":[{\\\"role\\\":\\\"user\\\",\\\"content\\\":\\\"a\\\"}]}\",\"encoding\":\"JSON\"},\"endpointOutput\":{\"data\":\"{\\\"usage\\\":{\\\"completion_tokens\\\":3}}\"}},\"eventMetadata\":{\"inferenceTime\":\"2026-01-01T00:00:00Z\"}}\n",
    "{\"text\":\"a\",\"timestamp\":1000}\n{\"session_id\":\"s\",\"turns\":[{\"text\":\"a\",\"timestamp\":1500},{\"text\":\"b\",\"delay\":250.5}]}\n",
    "{\"block_size\":64,\"hash_ids\":[7,8],\"input_length\":128}\n",
    "{\"id\":\"a\",\"created\":1700000000,\"usage\":{\"input_tokens\":7,\"cache_read_input_tokens\":5,\"output_tokens\":3},\"prompt\":[{\"role\":\"user\"}]}\n",
    "Timestamp\tModel\tRequest tokens\tResponse tokens\n5\tm\t472\t18\n6\t\"m\tn\"\t1\t0\n",
    "{\"conversation_hash\":\"h\",\"model\":\"m\",\"timestamp\":\"2023-04-09T00:02:53Z\",\"conversation\":[{\"role\":\"user\",\"content\":\"a\",\"timestamp\":null},{\"role\":\"assistant\",\"content\":\"b\",\"timestamp\":\"2023-04-09T00:02:54Z\"},{\"role\":\"tool\",\"content\":\"c\"},{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[{\"id\":\"1\"}]}]}\n",
    "{\"custom_id\":\"a\",\"method\":\"POST\",\"url\":\"/v1/x\",\"body\":{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[{\"text\":\"a\"}]}],\"tools\":[],\"max_tokens\":9,\"n\":1}}\n{\"custom_id\":\"b\",\"body\":{\"model\":\"m\",\"prompt\":\"a b\",\"max_tokens\":2}}\n{\"custom_id\":\"c\",\"body\":{\"input\":[1,2]}}\n",
    "{\"data\":[{\"session_id\":\"s\",\"payloads\":[{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}],\"stream\":true}]},{\"payload\":[{\"model\":\"m\",\"prompt\":[1]}]}]}",
    "{\"id\":\"1\",\"custom_id\":\"a\",\"response\":{\"status_code\":200,\"body\":{\"created\":1711652795,\"model\":\"m\",\"usage\":{\"prompt_tokens\":22,\"completion_tokens\":2,\"prompt_tokens_details\":{\"cached_tokens\":16}}}},\"error\":null}\n",
    "{\"benchmarks\":[{\"config\":{\"strategy\":{\"type_\":\"poisson\",\"rate\":2.5}},\"requests\":{\"successful\":[{\"prompt_tokens\":7,\"output_tokens\":3,\"request_start_time\":300.5,\"request_latency\":0.5,\"time_to_first_token_ms\":100,\"info\":{\"conversation_id\":\"c\",\"timings\":{\"targeted_start\":300.25,\"last_token_iteration\":301.0}}}],\"errored\":[{\"prompt_tokens\":7,\"request_start_time\":301,\"info\":{\"error\":\"x\"}}],\"total\":null}}]}",
    "[{\"stage_id\":0,\"scheduled_time\":1.0,\"start_time\":1.5,\"end_time\":2.5,\"info\":{\"input_tokens\":3,\"output_tokens\":3,\"output_token_times\":[1.75,2.0,2.25]},\"error\":null},{\"start_time\":1.5,\"end_time\":2.5,\"info\":{\"input_tokens\":3},\"error\":{\"error_type\":\"E\",\"error_msg\":\"m\"}}]",
    "{\"name\":\"c\",\"context\":{\"trace_id\":\"t\",\"span_id\":\"s\"},\"start_time\":\"2024-05-10T00:00:00Z\",\"end_time\":\"2024-05-10T00:00:01Z\",\"attributes\":{\"llm.model_name\":\"m\",\"llm.input_messages.0.message.role\":\"user\",\"llm.input_messages.0.message.content\":\"a\",\"gen_ai.input.messages\":\"[{\\\"role\\\":\\\"user\\\",\\\"parts\\\":[{\\\"type\\\":\\\"text\\\",\\\"content\\\":\\\"a\\\"}]}]\"}}\n",
    "{\"data\":[{\"traceID\":\"t\",\"spans\":[{\"traceID\":\"t\",\"spanID\":\"s\",\"startTime\":1700000000000000,\"duration\":2000000,\"tags\":[{\"key\":\"gen_ai.usage.input_tokens\",\"value\":10}]}]}]}",
    "[{\"_id\":\"1\",\"question\":\"q\",\"choice_A\":\"a\",\"choice_B\":\"b\",\"context\":\"c\"}]",
    "[{\"instruction\":\"a\",\"input\":\"b\",\"output\":\"c\"}]",
    "[{\"timestamp\":7.5,\"input_length\":600,\"output_length\":1,\"hash_ids\":[1,2]},{\"timestamp\":9,\"input_length\":1}]",
    "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\r\n5,ChatGPT,472,18,490,Conversation log\r\n45.5,\"GPT-4\",1087,0,1087,API log\r\n",
    "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n1,a,3,m,600,500,1100,x\n3,a,2,m,1200,1,1201,x\n",
    "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:17:03.9799600,374,44\n2023-11-16 18:17:04.0319600,396,109\n",
    "{\"chat_id\":1,\"parent_chat_id\":-1,\"timestamp\":0.5,\"input_length\":20,\"output_length\":5,\"type\":\"text\",\"turn\":1,\"hash_ids\":[1,2]}\n{\"chat_id\":5,\"parent_chat_id\":1,\"timestamp\":9.25,\"input_length\":40,\"output_length\":5,\"type\":\"text\",\"turn\":2,\"hash_ids\":[1,3,4]}\n",
    "{\"schema\":\"dynamo.agentic_mooncake\",\"version\":2,\"block_size\":64}\n{\"request_id\":\"r\",\"session_id\":\"s\",\"input_length\":100,\"output_length\":5,\"hash_ids\":[1,2],\"not_before_ms\":3}\n",
    "{\"id\":\"c\",\"models\":[\"m\"],\"block_size\":64,\"hash_id_scope\":\"local\",\"requests\":[{\"t\":0.5,\"type\":\"n\",\"model\":\"m\",\"in\":100,\"out\":5,\"hash_ids\":[1,2]},{\"t\":3,\"type\":\"s\",\"in\":150,\"out\":5,\"hash_ids\":[1,2,3]}]}\n",
    "{\"spans\":[{\"span_id\":\"a\",\"trace_id\":\"t\",\"start_time\":\"2024-01-01T00:00:00Z\",\"end_time\":\"2024-01-01T00:00:01Z\",\"attributes\":{\"gen_ai.request.model\":\"m\",\"gen_ai.usage.input_tokens\":5,\"gen_ai.usage.output_tokens\":7}}]}",
    "{\"timestamp\":0,\"requests\":[{\"prompt\":\"a b\",\"prompt_length\":10,\"output_length\":5,\"session_id\":\"s\"},{\"Prompt Length\":3,\"Output Length\":NaN}]}\n",
    "{\"request_id\":1,\"status\":\"success\",\"input\":[{\"role\":\"user\",\"content\":\"a\"}],\"output\":\"b\",\"prompt_tokens\":3,\"output_tokens\":5,\"total_tokens\":8,\"latency\":0.5,\"throughput\":10,\"start_time\":100.5,\"end_time\":101.0,\"ttft\":0.1,\"tpot\":0.08}\n",
    "{\"metadata\":{\"request_start_ns\":1700000000500000000},\"metrics\":{\"input_sequence_length\":{\"value\":3,\"unit\":\"tokens\"},\"request_latency\":{\"value\":500,\"unit\":\"ms\"}},\"error\":null}\n",
    "{\"num_prompts\":2,\"input_lens\":[3,4],\"output_lens\":[5,0],\"ttfts\":[0.1,0],\"itls\":[[0.1,0.1],[]],\"errors\":[\"\",\"boom\"]}",
    "[{\"id\":\"a\",\"conversations\":[{\"from\":\"human\",\"value\":\"1?\"},{\"from\":\"gpt\",\"value\":\"1\"},{\"from\":\"human\",\"value\":\"2 \u{e9}?\"}]}]",
    "{\"session_id\":7,\"prompts\":[\"a b\",\"c\"],\"completions\":[\"x\"]}\n{\"session_id\":8,\"prompts\":[]}\n",
    "{\"input\":\"q\",\"context\":\"c d\",\"answers\":[\"a\"],\"length\":9,\"dataset\":\"hotpotqa\",\"_id\":\"1\"}\n",
    "{\"n\":1,\"data\":[{\"text\":\"a b\"},{\"user_messages\":[\"a\",\"b\"]}]}",
    "{\"timestamp\":5,\"input_length\":600,\"output_length\":1,\"hash_ids\":[1,2],\"session_id\":1,\"x\":1e5}\n{\"timestamp\":0,\"messages\":[{\"role\":\"user\",\"content\":\"hi\"}],\"delay\":3}\n",
];

const FLAGS: [&str; 11] = [
    "",
    "--repair=order,lengths,units --failed tag",
    "--block-size 16 --relabel --speed 3 --zero --shift -1s",
    "--count --repeat 2 --scale-input 0.3",
    "--clip --max-input-length 40 --sample 0.5 --render",
    "--ungroup-interval 3s --group-interval 1s --from-time 1s",
    "--to aiperf",
    "--to aibrix",
    "--to prompts",
    "--to csv",
    "--num-samples 1 --seed 3",
];

/// One byte put in, left out or changed to one that matters.
#[derive(Debug, Clone)]
struct Damage {
    place: prop::sample::Index,
    byte: u8,
    how: u8,
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = prop::sample::select(b"0123456789.,:\"\\{}[]eE-+ntf \n\r\0\xff\xc3".to_vec());
    (any::<prop::sample::Index>(), bytes, 0_u8..4).prop_map(|(place, byte, how)| Damage {
        place,
        byte,
        how,
    })
}

fn damaged(file: &str, damages: &[Damage]) -> Vec<u8> {
    let mut bytes = file.as_bytes().to_vec();
    for Damage { place, byte, how } in damages {
        if bytes.is_empty() {
            break;
        }
        let at = place.index(bytes.len());
        match how {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// How many files; `DAMAGE_CASES` says how many more for a long run.
fn cases() -> u32 {
    let wanted = std::env::var("DAMAGE_CASES").ok();
    wanted.map_or(2_500, |wanted| wanted.parse().unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn damaged_files_are_converted_or_refused(
        file in prop::sample::select(FILES.to_vec()),
        flags in prop::sample::select(FLAGS.to_vec()),
        skip in any::<bool>(),
        damages in proptest::collection::vec(damage(), 0..5),
    ) {
        let words = ["trace-convert", "--tokenizer", "words"].into_iter();
        let skip = skip.then_some("--skip-invalid");
        let args = Args::parse_from(words.chain(flags.split_whitespace()).chain(skip));
        let (mut out, mut report) = (Vec::new(), Report::default());
        let input = Input::text("damaged", damaged(file, &damages));
        let done = trace_convert::run(&args, vec![input], &mut out, &mut report);
        if let Err(error) = &done {
            let told = format!("{error:#}");
            prop_assert!(told.starts_with("damaged") && !told.contains('\n'), "{:?}", told);
        }
        if args.to == "mooncake" {
            let mut reader = Reader::new("out", &out[..]);
            let (mut line, mut lines) = (Line::default(), 0);
            while reader.read(&mut line).unwrap() {
                lines += 1;
            }
            prop_assert_eq!(lines, report.written);
        }
    }
}
