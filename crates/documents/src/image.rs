//! Images: looked at by their header, never decoded. They go to the model as they are.

use crate::{Content, Reason, Refusal};

/// The widest and highest that is taken.
const MOST_PIXELS_A_SIDE: usize = 20_000;

pub(crate) fn image(bytes: &[u8]) -> Result<Content, Refusal> {
    let size = imagesize::blob_size(bytes).map_err(|_| {
        Refusal::new(Reason::Damaged, "The image is damaged: its size cannot be read.")
    })?;
    let side =
        |n: usize| u32::try_from(n).ok().filter(|n| *n > 0 && *n as usize <= MOST_PIXELS_A_SIDE);
    let (Some(width), Some(height)) = (side(size.width), side(size.height)) else {
        return Err(Refusal::new(
            Reason::TooLarge,
            format!(
                "The image says it has {} × {} pixels; 1 to {MOST_PIXELS_A_SIDE} a side are taken.",
                size.width, size.height
            ),
        ));
    };
    Ok(Content::Image { width, height })
}

/// What an image counts for, in tokens, as OpenAI's models count it: it is scaled to fit into 2048
/// pixels a side and then to 768 on the shorter one, and each tile of 512 counts.
#[must_use]
pub fn image_tokens(width: u32, height: u32) -> u64 {
    let (mut w, mut h) = (f64::from(width.max(1)), f64::from(height.max(1)));
    let fit = (2048.0 / w.max(h)).min(1.0);
    (w, h) = (w * fit, h * fit);
    let short = (768.0 / w.min(h)).min(1.0);
    (w, h) = (w * short, h * short);
    let tiles = |side: f64| (side / 512.0).ceil().max(1.0) as u64;
    85 + 170 * tiles(w) * tiles(h)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_of_images_are_those_of_the_published_examples() {
        assert_eq!(image_tokens(1024, 1024), 765);
        assert_eq!(image_tokens(2048, 4096), 1105);
        assert_eq!(image_tokens(1, 1), 255);
    }

    #[test]
    fn an_image_that_claims_an_absurd_size_is_refused() {
        let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
        png.extend([0x00, 0x0f, 0xff, 0xff, 0, 0, 0, 1, 8, 2, 0, 0, 0]);
        assert_eq!(image(&png).unwrap_err().reason, Reason::TooLarge);
        assert_eq!(image(&png[..12]).unwrap_err().reason, Reason::Damaged);
    }
}
